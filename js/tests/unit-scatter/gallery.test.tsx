import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useChanges } from "../../src/shared/use-changes";
import { classOrders } from "../../src/unit-scatter/data/class-responses";
import {
  FIRST_CHOICE,
  type GalleryChoice,
  galleryUnits,
  groups,
  preferredClasses,
} from "../../src/unit-scatter/data/gallery-units";
import { Gallery } from "../../src/unit-scatter/gallery/gallery";
import { gridIn, placeAfter } from "../../src/unit-scatter/gallery/grid";
import { Scatter } from "../../src/unit-scatter/state/scatter";
import { View } from "../../src/unit-scatter/state/view";
import { layer, scatterModel } from "./units";

const some = layer("conv1", [0.3, 0.1, null, 0.2], [0.5, 0.25, null, 0]);
const listed = (patch: Partial<GalleryChoice> = {}, selected: number[] = []) =>
  galleryUnits(some, "iam", { ...FIRST_CHOICE, ...patch }, selected);

describe("the gallery's units", () => {
  it("are the most selective first, and go by any column", () => {
    expect(listed()).toEqual([0, 3, 1, 2]);
    expect(listed({ rising: true })).toEqual([1, 3, 0, 2]);
    expect(listed({ column: "rs", rising: true })).toEqual([3, 1, 0, 2]);
    expect(listed({ column: "", rising: true })).toEqual([0, 1, 2, 3]);
    expect(listed({ column: "auc" })).toEqual(listed({ column: "" }));
  });

  it("go by the response to a class, whatever class they prefer", () => {
    const seen = structuredClone(some);
    seen.means = {
      classes: null,
      means: [
        [1, 5],
        [2, 9],
        [3, 7],
        [4, 0],
      ],
    };
    const by = (column: string, rising = false) =>
      galleryUnits(seen, "iam", { ...FIRST_CHOICE, column, rising }, []);
    expect(classOrders(seen, undefined).map(({ text }) => text)).toEqual([
      "response to cat",
      "response to dog",
    ]);
    expect(by("response to 1")).toEqual([1, 2, 0, 3]);
    expect(by("response to 0", true)).toEqual([0, 1, 2, 3]);
    // A class that there is not is no order.
    expect(by("response to 2")).toEqual(by(""));
    // Of many classes a record holds each unit's strongest, and the class that was chosen is offered.
    seen.classes = Array.from({ length: 30 }, (_, at) => `class ${at}`);
    seen.means = { classes: [[3], [4], [4], [3]], means: [[1], [2], [3], [4]] };
    expect(classOrders(seen, 4).map(({ value }) => value)).toEqual(["response to 4"]);
    expect(by("response to 4")).toEqual([2, 1, 0, 3]);
    expect(by("response to 4", true)).toEqual([1, 2, 0, 3]);
  });

  it("may be of one class, and of those with one thing the matter", () => {
    expect(listed({ preferred: 1 })).toEqual([3, 1]);
    expect(listed({ group: "selected" }, [2, 3])).toEqual([3, 2]);
    expect(listed({ group: "selected", preferred: 1 }, [2, 3])).toEqual([3]);
    const ill = structuredClone(some);
    ill.table.silent = { iam: [1], am: [] };
    ill.table.failed = { iam: [2], am: [2] };
    if (ill.shown.iam) ill.shown.iam.said = { 3: "flat: one color is the best that was found" };
    const of = (group: GalleryChoice["group"]) => galleryUnits(ill, "iam", { ...FIRST_CHOICE, group }, []);
    expect([of("silent"), of("failed"), of("flat"), of("dead")]).toEqual([[1], [2], [3], []]);
    expect(groups(ill, "iam", []).map(({ value, count }) => [value, count])).toEqual([
      ["all", 4],
      ["flat", 1],
      ["silent", 1],
      ["failed", 1],
    ]);
    expect(groups(ill, "am", [1]).map(({ value }) => value)).toEqual(["all", "selected", "failed"]);
  });

  it("are counted by class", () => {
    expect(preferredClasses(some, "iam")).toEqual([
      { value: 0, text: "cat", count: 2 },
      { value: 1, text: "dog", count: 2 },
    ]);
  });
});

describe("the gallery's grid", () => {
  it("fills the width with pictures of at least 76 px", () => {
    for (const width of [60, 76, 160, 340, 1000]) {
      const { columns, side } = gridIn(width);
      expect(columns * side + (columns - 1) * 8).toBeLessThanOrEqual(width);
      if (columns > 1) expect(side).toBeGreaterThanOrEqual(76);
    }
    expect(gridIn(340).columns).toBe(4);
  });

  it("has a place for every key, and up and down keep the column", () => {
    const to = (key: string, at: number) => placeAfter(key, at, 10, 4, 2);
    expect([to("ArrowRight", 3), to("ArrowLeft", 0), to("ArrowRight", 9)]).toEqual([4, 0, 9]);
    expect([to("ArrowDown", 1), to("ArrowUp", 1), to("ArrowDown", 7)]).toEqual([5, 1, 7]);
    expect([to("Home", 5), to("End", 5), to("PageDown", 1), to("PageUp", 9)]).toEqual([0, 9, 9, 1]);
    expect(to("ArrowDown", -1)).toBe(0);
  });
});

describe("the gallery", () => {
  let ending: AbortController;

  beforeEach(() => {
    ending = new AbortController();
    vi.stubGlobal("createImageBitmap", async () => ({ close: () => undefined }));
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe() {}
        disconnect() {}
      },
    );
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({ drawImage: vi.fn() } as never);
  });

  afterEach(() => {
    ending.abort();
    document.body.replaceChildren();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  function Whole({ view }: { view: View }) {
    useChanges(view.signal, view.scatter, view.scatter.images, view);
    return <Gallery view={view} />;
  }

  async function show(state: Record<string, unknown> = {}, units: Parameters<typeof scatterModel>[0] = {}) {
    const model = scatterModel(units, state);
    const root = document.createElement("div");
    document.body.append(root);
    const view = new View(new Scatter(model as never, ending.signal), root, ending.signal);
    render(<Whole view={view} />, root);
    const settle = () => new Promise((done) => setTimeout(done, 30));
    await settle();
    const list = () => root.querySelector("[role=listbox]") as HTMLElement;
    return {
      model,
      root,
      view,
      list,
      units: () => [...root.querySelectorAll("[role=option] b")].map((b) => Number(b.textContent)),
      press: async (...keys: string[]) => {
        for (const key of keys) {
          list().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
          await settle();
        }
      },
      choose: async (name: string, value: string) => {
        const select = root.querySelector(`select[aria-label="${name}"]`) as HTMLSelectElement;
        select.value = value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
        await settle();
      },
      settle,
    };
  }

  it("shows all units with class, value and what is the matter, and a click opens one", async () => {
    const ill = layer("conv1", [0.1, 0.5, 0.9, null], [0.5, 0.25, 0, null]);
    ill.table.silent = { iam: [3] };
    const page = await show({}, { layers: [ill] });
    expect(page.units()).toEqual([2, 1, 0, 3]);
    const names = [...page.root.querySelectorAll("[role=option]")].map((one) => one.textContent);
    expect(names[0]).toBe("unit 2, class selectivity 0.90, cat");
    expect(names[3]).toBe("silent, unit 3, class selectivity –, dog");
    (page.root.querySelectorAll("[role=option]")[1] as HTMLElement).click();
    await page.settle();
    expect(page.model.state.unit).toBe(1);
    expect(page.root.querySelector("[aria-selected=true] b")?.textContent).toBe("1");
  });

  it("is whole by keyboard: arrows move, Enter opens, P pins and S selects", async () => {
    const page = await show();
    page.list().focus();
    await page.settle();
    const current = () => {
      const id = page.list().getAttribute("aria-activedescendant") ?? "";
      return Number(document.getElementById(id)?.querySelector("b")?.textContent);
    };
    expect(current()).toBe(2);
    await page.press("ArrowRight");
    expect(current()).toBe(1);
    expect(page.model.state.unit).toBeNull();
    await page.press("Enter", "p");
    expect(page.view.scatter.state).toMatchObject({ unit: 1, pinned: 1 });
    await page.press("End", "s", "Home", "s");
    await page.settle();
    expect(page.view.scatter.state.selected).toEqual([2, 3]);
    await page.press("s");
    expect(page.view.scatter.state.selected).toEqual([3]);
    await page.choose("Show", "selected");
    expect(page.units()).toEqual([3]);
  });

  it("is sorted and filtered, and leads back from filters that no unit passes", async () => {
    const page = await show({ selected: [1] });
    await page.choose("Sort by", "rs");
    expect(page.units()).toEqual([0, 1, 2, 3]);
    (page.root.querySelector(".tws-direction") as HTMLElement).click();
    await page.settle();
    expect(page.units()).toEqual([2, 1, 0, 3]);
    await page.choose("Class", "1");
    expect(page.units()).toEqual([1, 3]);
    expect(page.root.querySelector("h4")?.textContent).toContain("2 of 4 units");
    await page.choose("Show", "selected");
    await page.choose("Class", "0");
    expect(page.root.textContent).toContain("No unit passes");
    (page.root.querySelector(".tws-gallery-none button") as HTMLElement).click();
    await page.settle();
    expect(page.units()).toEqual([2, 1, 0, 3]);
  });

  it("holds only the pictures in view of a large layer", async () => {
    const many = layer(
      "conv1",
      Array.from({ length: 2000 }, (_, unit) => unit / 2000),
      Array(2000).fill(0),
    );
    const page = await show({}, { layers: [many] });
    expect(page.units().length).toBeLessThan(80);
    expect(page.root.querySelector("[role=option]")?.getAttribute("aria-setsize")).toBe("2000");
  });
});
