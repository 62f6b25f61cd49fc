import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../../src/unit-scatter";
import type { FakeModel } from "../fake-model";
import { layer, scatterModel } from "./units";

type Listener = (event: unknown) => void;

/** plotly.js needs a real page to draw in; here it only keeps what it is given and has 100 pixels an axis. */
const plot = vi.hoisted(() => ({
  drawn: [] as { data: { customdata: number[]; selectedpoints: number[] | null }[] }[],
  listeners: new Map<string, Listener>(),
  purged: 0,
}));

vi.mock("plotly.js-basic-dist-min", () => ({
  default: {
    react: async (host: Record<string, unknown>, data: never) => {
      plot.drawn.push({ data });
      const axis = { _offset: 0, _length: 100, d2p: (value: number) => 100 * value };
      host._fullLayout = { xaxis: axis, yaxis: { ...axis, d2p: (value: number) => 100 - 100 * value } };
      host.on = (event: string, listener: Listener) => plot.listeners.set(event, listener);
    },
    purge: () => {
      plot.purged++;
    },
  },
}));

const drawnCells = vi.fn();
const noop = () => undefined;
const PEN = Object.fromEntries(
  ["scale", "clearRect", "beginPath", "moveTo", "lineTo", "stroke", "arc", "fill"].map((name) => [
    name,
    noop,
  ]),
);
/** A little longer than the page waits before it saves another change. */
const SAVED = 130;
let resize: ((entries: unknown[]) => void)[] = [];

/** Lets promises and Preact's queued renders and effects run. */
async function settle(ms = 50): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function show(model: FakeModel) {
  const host = new AbortController();
  const { initialize, render } = widget();
  initialize({ model: model as never, signal: host.signal });
  const el = document.createElement("div");
  document.body.append(el);
  render({ model: model as never, el, signal: host.signal });
  await settle();
  for (const call of resize) call([{ contentRect: { width: 700 } }]);
  await settle();
  const stage = () => el.querySelector(".tws-plot") as HTMLElement;
  return {
    host,
    el,
    stage,
    text: (selector: string) => el.querySelector(selector)?.textContent ?? "",
    click: async (selector: string) => {
      (el.querySelector(selector) as HTMLElement).click();
      await settle(SAVED);
    },
    press: async (...keys: string[]) => {
      for (const key of keys)
        stage().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      await settle(SAVED);
    },
    emit: async (event: string, points: number[] | undefined) => {
      plot.listeners.get(event)?.(points && { points: points.map((customdata) => ({ customdata })) });
      await settle(SAVED);
    },
    choose: async (at: number, value: string) => {
      const select = el.querySelectorAll("select")[at] as HTMLSelectElement;
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      await settle(SAVED);
    },
  };
}

beforeEach(() => {
  plot.drawn.length = 0;
  plot.listeners.clear();
  plot.purged = 0;
  resize = [];
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"],
  });
  vi.stubGlobal("createImageBitmap", async () => ({ close: () => undefined }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(call: (entries: unknown[]) => void) {
        resize.push(call);
      }
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({
    ...PEN,
    drawImage: drawnCells,
  } as never);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
  drawnCells.mockClear();
});

describe("the scatter's page", () => {
  it("draws the layer's units and says that none is open", async () => {
    const page = await show(scatterModel());
    expect(plot.drawn).toHaveLength(1);
    expect(plot.drawn[0]?.data[0]?.customdata).toEqual([0, 1, 2]);
    expect(page.text(".tws-title h4")).toBe("conv1: RS (IAM) against class selectivity");
    expect(page.text(".tws-invitation")).toContain("No unit is open");
    expect(page.text(".tws-definition")).toContain("high RS means replaceable");
  });

  it("opens a unit on a click, with its image and who exceeds it", async () => {
    const model = scatterModel();
    const page = await show(model);
    await page.emit("plotly_click", [0]);
    expect(page.text(".tws-unit h4")).toBe("Unit 0cat");
    expect(model.state.unit).toBe(0);
    const large = drawnCells.mock.calls.filter((call) => call[7] > 300).at(-1);
    expect(large?.slice(1, 3)).toEqual([0, 0]);
    expect([...page.el.querySelectorAll(".tws-exceeders b")].map((b) => b.textContent)).toEqual(["2", "1"]);
    expect(page.text(".tws-exceeders")).toContain("×2.50");
    expect(page.text(".tw-numbers")).toContain("worst class, dog25% ± 10%");
    await page.click(".tws-exceeders button");
    expect(model.state.unit).toBe(2);
    expect(plot.drawn).toHaveLength(1);
  });

  it("walks to the nearest unit by arrows, opens it by Enter and pins it", async () => {
    const model = scatterModel();
    const page = await show(model);
    await page.press("ArrowRight");
    expect(page.text(".tws-card")).toContain("unit 1");
    await page.press("ArrowRight", "Enter");
    expect(model.state.unit).toBe(2);
    await page.press("p", "ArrowLeft", "Enter");
    expect([model.state.pinned, model.state.unit]).toEqual([2, 1]);
    expect([...page.el.querySelectorAll(".tws-unit h4")].map((h) => h.textContent)).toEqual([
      "Unit 2cat",
      "Unit 1dog",
    ]);
    await page.press("Escape");
    expect(model.state.unit).toBeNull();
  });

  it("selects what a box holds, and a mere click clears nothing", async () => {
    const model = scatterModel();
    const page = await show(model);
    await page.emit("plotly_selected", [2, 0]);
    expect(model.state.selected).toEqual([0, 2]);
    expect(plot.drawn.at(-1)?.data[0]?.selectedpoints).toEqual([0, 2]);
    await page.emit("plotly_selected", undefined);
    expect(model.state.selected).toEqual([0, 2]);
    await page.click(".tws-selection button");
    expect(model.state.selected).toEqual([]);
    expect(plot.drawn.at(-1)?.data[0]?.selectedpoints).toBeNull();
  });

  it("goes to another layer with nothing open, and keeps the columns", async () => {
    const model = scatterModel(undefined, { unit: 2, pinned: 0, selected: [1], objective: "am" });
    const page = await show(model);
    await page.choose(0, "conv2");
    const { unit, pinned, selected, objective, x } = model.state;
    expect({ unit, pinned, selected, objective, x }).toEqual({
      unit: null,
      pinned: null,
      selected: [],
      objective: "am",
      x: "selectivity",
    });
    expect(page.text(".tws-title h4")).toBe("conv2: RS (AM) against class selectivity");
  });

  it("switches the objective, and follows Python", async () => {
    const model = scatterModel();
    const page = await show(model);
    await page.click(".tw-segments button");
    expect(model.state.objective).toBe("am");
    expect(page.text(".tws-title h4")).toContain("RS (AM)");
    expect(page.stage().classList).toContain("tws-flying");
    await settle(900);
    expect(page.stage().classList).not.toContain("tws-flying");
    model.python("unit", 1);
    model.python("color", null);
    await settle();
    expect(page.text(".tws-unit h4")).toBe("Unit 1dog");
    expect(plot.drawn.at(-1)?.data).toHaveLength(1);
  });

  it("has a table in step with the plot, sorted by any column", async () => {
    const model = scatterModel();
    const page = await show(model);
    await page.click(".tws-table-button");
    const units = () => [...page.el.querySelectorAll(".tws-scroll tbody th")].map((cell) => cell.textContent);
    expect(units()).toEqual(["0", "1", "2", "3"]);
    await page.click(".tws-scroll thead th:nth-child(4) button");
    expect(units()).toEqual(["0", "1", "2", "3"]);
    await page.click(".tws-scroll thead th:nth-child(4) button");
    expect(units()).toEqual(["2", "1", "0", "3"]);
    expect(page.el.querySelector("[aria-sort=ascending]")?.textContent).toContain("RS");
    await page.click(".tws-scroll tbody tr:nth-child(2)");
    expect(model.state.unit).toBe(1);
    expect(page.text(".tws-scroll [aria-current=true] th")).toBe("1");
    await page.emit("plotly_selected", [2]);
    await page.click(".tws-table-bar input");
    expect(units()).toEqual(["2"]);
  });

  it("asks the kernel for images that are not in the page, and says so when there is none", async () => {
    const model = scatterModel(undefined, {
      _sprites: [new DataView(new ArrayBuffer(0)), new DataView(new ArrayBuffer(0))],
    });
    const page = await show(model);
    // The gallery's, at once; the opened unit's other image, once it is open.
    expect(model.sent).toMatchObject([{ kind: "sprite", page: 1 }]);
    await page.emit("plotly_click", [1]);
    expect(model.sent.map(({ kind, ...rest }) => [kind, (rest as { page?: number }).page])).toEqual([
      ["sprite", 1],
      ["sprite", 0],
    ]);
    expect(page.text(".tws-large")).toBe("loading from the kernel…");
    model.reply({ id: model.sent[0]?.id, kind: "error", message: "gone" });
    model.reply({ id: model.sent[1]?.id, kind: "done" }, [new DataView(new ArrayBuffer(4))]);
    await settle();
    expect(page.text(".tws-large")).toContain("this image is not in the page; gone");
    await page.click(".tws-images .tw-button");
    expect(model.sent.at(-1)).toMatchObject({ kind: "sprite", page: 1 });
  });

  it("shows the image for the eye, and the one that RS was measured on where that is asked for", async () => {
    const two = layer("conv1", [0.1, 0.5, 0.9], [0.5, 0.25, 0]);
    two.sheets["iam measured"] = {
      cells: { width: 8, height: 8, columns: 1 },
      perUnit: 1,
      unitsPerPage: 1,
      first: 2,
    };
    const { iam } = two.shown;
    if (iam) iam.display = { "bounded contrast": [0, 2] };
    const sprites = [4, 4, 4, 0, 0].map((bytes) => new DataView(new ArrayBuffer(bytes)));
    const model = scatterModel({ layers: [two] }, { _sprites: sprites });
    const page = await show(model);
    await page.emit("plotly_click", [0]);
    const heard = () => page.el.querySelector("canvas.tws-large")?.getAttribute("aria-label");
    const pressed = () =>
      [...page.el.querySelectorAll(".tws-which button")].map((button) => button.getAttribute("aria-pressed"));
    expect(heard()).toBe("IAM image of unit 0, bounded contrast");
    expect(page.text(".tws-which legend")).toBe("Which IAM image of unit 0");
    expect(page.text(".tws-which p")).toContain("Bounded contrast, for the eye");
    expect(page.el.querySelector(".tws-exceeders")?.parentElement?.textContent).toContain(
      "On its IAM image, as RS was measured",
    );
    await page.click(".tws-which button:nth-of-type(2)");
    expect(heard()).toBe("IAM image of unit 0, as RS was measured");
    expect(pressed()).toEqual(["false", "true"]);
    expect(page.text(".tws-which p")).toContain("the image that RS was measured on");
    expect(model.sent).toEqual([]);
    // A unit of one image has nothing to choose; the choice holds for the next that has two, whose page is asked for.
    await page.emit("plotly_click", [1]);
    expect(page.el.querySelector(".tws-which")).toBeNull();
    expect(heard()).toBe("IAM image of unit 1");
    await page.emit("plotly_click", [2]);
    expect(model.sent).toMatchObject([{ kind: "sprite", page: 4 }]);
    expect(page.text(".tws-large")).toBe("loading from the kernel…");
    await page.click(".tws-which button");
    expect(heard()).toBe("IAM image of unit 2, bounded contrast");
  });

  it("says of a flat unit in words that it is one", async () => {
    const flat = layer("conv1", [0.1, 0.5], [0.5, 0.25]);
    if (flat.shown.iam) flat.shown.iam.said = { 1: "flat: one color is the best that was found" };
    const page = await show(scatterModel({ layers: [flat] }, { unit: 1 }));
    expect(page.text(".tws-unit .tw-note")).toContain("Flat: one color is the best IAM image");
    expect(page.el.querySelector(".tws-unit")?.getAttribute("aria-label")).toBe("Unit 1, one flat color");
    expect(page.el.querySelector("canvas.tws-large")?.getAttribute("aria-label")).toContain("one flat color");
    await page.press("ArrowLeft");
    expect(page.text(".tws-card")).toContain("unit 0");
    expect(page.text(".tws-card")).not.toContain("flat");
    await page.press("ArrowRight");
    expect(page.text(".tws-card")).toContain("unit 1one flat color");
  });

  it("shows what a layer's note says, and a typed name as text", async () => {
    const noted = { ...layer("<b>x</b>", [0.1, 0.2], [0, 0]), notes: ["2 of 2 living units respond alike."] };
    const page = await show(scatterModel({ layers: [noted] }));
    expect(page.text(".tw-note")).toContain("respond alike");
    expect(page.text(".tws-title h4")).toContain("<b>x</b>");
    expect(page.el.querySelector(".tws-title h4 b")).toBeNull();
  });

  it("leaves nothing behind", async () => {
    const model = scatterModel();
    const page = await show(model);
    page.host.abort();
    await settle();
    expect(page.el.childElementCount).toBe(0);
    expect(plot.purged).toBe(1);
    expect(model.listeners()).toBe(0);
  });
});
