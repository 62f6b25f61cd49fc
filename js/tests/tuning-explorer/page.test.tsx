import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../../src/tuning-explorer";
import { FOLLOWER_WAIT, STEP } from "../../src/tuning-explorer/explorer";
import type { Film } from "../../src/tuning-explorer/film";
import { explorerModel, type FakeModel, film, photo } from "../fake-model";

const drawn = vi.fn();
const closed = vi.fn();

/** Lets promises and Preact's queued renders and effects run. */
async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function show(model: FakeModel, views = 1) {
  const host = new AbortController();
  const { initialize, render } = widget();
  initialize({ model: model as never, signal: host.signal });
  const elements = Array.from({ length: views }, () => document.createElement("div"));
  document.body.append(...elements);
  for (const el of elements) render({ model: model as never, el, signal: host.signal });
  await settle(50);
  const el = elements[0] as HTMLElement;
  return {
    host,
    el,
    elements,
    sliders: (root = el) => [...root.querySelectorAll<HTMLInputElement>("input[type=range]")],
    labels: () => [...el.querySelectorAll<HTMLInputElement>("input[type=text]")],
    text: (selector: string) => el.querySelector(selector)?.textContent ?? "",
    current: () =>
      [...el.querySelectorAll(".twe-row")].findIndex((row) => row.getAttribute("aria-current") === "true"),
    play: () => el.querySelector<HTMLButtonElement>(".twe-play") as HTMLButtonElement,
  };
}

function slide(slider: HTMLInputElement | undefined, to: number): void {
  if (!slider) throw new Error("no such slider");
  slider.value = String(to);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

function press(target: Element | null | undefined, key: string): void {
  target?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"],
  });
  vi.stubGlobal("createImageBitmap", async () => ({ close: closed }));
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({
    drawImage: drawn,
    putImageData: vi.fn(),
    strokeRect: vi.fn(),
  } as never);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
  vi.useRealTimers();
});

/** Upper left corner of the cell that was last drawn on the large canvas. */
function largeCell(): [number, number] | undefined {
  const call = drawn.mock.calls.filter((args) => args[7] > 100).at(-1);
  return call && [call[1], call[2]];
}

describe("the explorer's page", () => {
  it("shows a row a dimension, and the active one's image at its point", async () => {
    const page = await show(explorerModel());
    expect(page.sliders()).toHaveLength(3);
    expect(page.labels().map((input) => input.placeholder)).toEqual([
      "dimension 0",
      "dimension 1",
      "dimension 2",
    ]);
    expect(page.text(".tw-source")).toBe("gabor_bankreluICAarc sampling");
    expect(page.text(".twe-count")).toBe("3 / 5");
    expect(largeCell()).toEqual([16, 0]);
  });

  it("moves the image with the slider, and Python hears of it", async () => {
    const model = explorerModel();
    const page = await show(model);
    slide(page.sliders()[1], 4);
    await settle(200);
    expect(largeCell()).toEqual([8, 8]);
    expect(page.text(".tw-numbers")).toContain("coordinate8.0");
    expect(model.state).toMatchObject({ dimension: 1, points: [2, 4, 2] });
    expect(model.sent).toEqual([]);
  });

  it("responds to keys from anywhere but a text field", async () => {
    const model = explorerModel();
    const page = await show(model);
    press(page.sliders()[0], "ArrowRight");
    press(page.sliders()[0], "ArrowDown");
    press(page.sliders()[1], "Home");
    press(page.labels()[1], "End");
    await settle(200);
    expect(model.state).toMatchObject({ dimension: 1, points: [3, 0, 2] });
    expect(document.activeElement).toBe(page.sliders()[1]);
    press(page.play(), "End");
    await settle(200);
    expect(model.state.points).toEqual([3, 4, 2]);
  });

  it("sends every slider to the place in the photo that one points at", async () => {
    const model = explorerModel();
    model.state._photo = photo();
    const page = await show(model);
    const place = page.el.querySelector(".twe-photo");
    press(place, "ArrowRight");
    await settle(200);
    // From the middle, row 1 and column 1, to column 2: the largest byte, the high end.
    expect(model.state).toMatchObject({ position: [1, 2], points: [4, 4, 4], dimension: 0 });
    expect(page.text(".twe-here-text")).toContain("Row 1, column 2 of the map: 8.00 along dimension 0.");
    expect(page.el.querySelectorAll(".twe-mark")).toHaveLength(3);
    press(place, "ArrowUp");
    press(place, "ArrowUp");
    await settle(200);
    expect(model.state.position).toEqual([0, 2]);
    model.python("position", []);
    await settle(50);
    expect(page.el.querySelectorAll(".twe-mark")).toHaveLength(0);
  });

  it("jumps to the point of the image that is pressed, and marks where it is", async () => {
    const model = explorerModel(film(3, 13));
    model.state.points = [6, 6, 7];
    const page = await show(model);
    const images = (row: number) => [
      ...(page.el
        .querySelectorAll(".twe-row")
        [row]?.querySelectorAll<HTMLElement>(".twe-thumbnails button") ?? []),
    ];
    const marked = (row: number) =>
      images(row)
        .map((image) => image.dataset.here === "true")
        .indexOf(true);
    expect(images(1).map((image) => image.getAttribute("aria-label"))).toEqual(
      [1, 3, 5, 7, 9, 11, 13].map((point) => `Point ${point} of 13`),
    );
    images(1)[5]?.click();
    await settle(200);
    expect(model.state).toMatchObject({ dimension: 1, points: [6, 10, 7] });
    expect(document.activeElement).toBe(page.sliders()[1]);
    expect([marked(0), marked(1), marked(2)]).toEqual([3, 5, 3]);
    // Between two images the nearest is marked, and none is current.
    expect(images(2).map((image) => image.getAttribute("aria-current"))).not.toContain("true");
    expect(images(1)[5]?.getAttribute("aria-current")).toBe("true");
  });

  it("says in words how far to trust the image", async () => {
    const shown = film();
    for (const dimension of shown.dimensions) {
      dimension.cosine = [0.9, 0.5, 0.1, 0.9, 0.9];
      dimension.histogram = [100, 400, 0];
    }
    const page = await show(explorerModel(shown));
    const verdicts = () => [...page.el.querySelectorAll(".twe-verdict")].map((each) => each.textContent);
    slide(page.sliders()[0], 0);
    await settle(50);
    expect(verdicts()[0]).toBe("well aligned");
    expect(verdicts()[1]).toMatch(/^ ?12% of the data here$/);
    slide(page.sliders()[0], 1);
    await settle(50);
    expect(verdicts()[0]).toBe("partly aligned");
    expect(page.text(".twe-trust p")).toContain("25% of it");
    slide(page.sliders()[0], 4);
    await settle(50);
    expect(verdicts()[1]).toContain("hardly any data here");
    // The space bar opens what the words mean; it does not play.
    press(page.el.querySelector(".twe-trust summary"), " ");
    await settle(50);
    expect(page.play().getAttribute("aria-pressed")).toBe("false");
  });

  it("picks a unit, as what is linked does, and says where else it weighs most", async () => {
    const model = explorerModel();
    const page = await show(model);
    const units = () => [...page.el.querySelectorAll<HTMLButtonElement>(".twe-units li button")];
    expect(page.el.querySelector(".twe-picked")).toBeNull();
    units()[1]?.click();
    await settle(200);
    expect(model.state.unit).toBe(3);
    expect(units().map((unit) => unit.getAttribute("aria-pressed"))).toEqual(["false", "true"]);
    expect(page.text(".twe-picked")).toBe("Unit 3 is also among the heaviest in orange/blue, dimension 2");
    page.el.querySelector<HTMLButtonElement>(".twe-picked button")?.click();
    await settle(200);
    expect(model.state).toMatchObject({ dimension: 1, points: [2, 3, 2], unit: 3 });
    model.python("unit", 11);
    await settle(50);
    expect(page.text(".twe-picked")).toContain("Unit 11 is in no dimension among the heaviest.");
    model.python("unit", 3);
    await settle(50);
    units()[0]?.click();
    await settle(200);
    expect(model.state.unit).toBeNull();
  });

  it("draws the shares of variance relative to the largest", async () => {
    const page = await show(explorerModel());
    const bars = [...page.el.querySelectorAll<HTMLElement>(".twe-bar span")].map((bar) => bar.style.width);
    expect(bars).toEqual(["100%", "50%", "25%"]);
  });

  it("tells of rows below, and goes on to them", async () => {
    const page = await show(explorerModel(film(9, 5)));
    const list = page.el.querySelector<HTMLElement>(".twe-rows") as HTMLElement;
    expect(page.el.querySelector(".twe-more")).toBeNull();
    // Nine rows of 100 in a list of 420.
    Object.defineProperties(list, { clientHeight: { value: 420 }, scrollHeight: { value: 900 } });
    [...list.children].forEach((row, at) => {
      Object.defineProperties(row, { offsetTop: { value: 100 * at }, offsetHeight: { value: 100 } });
    });
    const more = () => page.el.querySelector<HTMLButtonElement>(".twe-more");
    list.dispatchEvent(new Event("scroll"));
    await settle(50);
    expect(more()?.textContent).toBe("5 more below");
    more()?.click();
    expect(list.scrollTop).toBe(336);
    list.scrollTop = 480;
    list.dispatchEvent(new Event("scroll"));
    await settle(50);
    expect(more()?.textContent).toBe("Back to the first");
    more()?.click();
    expect(list.scrollTop).toBe(0);
  });

  it("says whether a dimension that was tested can be read", async () => {
    const shown = film();
    const tested = { score: 0.71, low: 0.62, high: 0.79, p: 0.012, chance: 0.54 };
    shown.dimensions[0] = { ...shown.dimensions[0], readability: tested } as Film["dimensions"][number];
    shown.dimensions[1] = {
      ...shown.dimensions[1],
      readability: { ...tested, p: 0.2 },
    } as Film["dimensions"][number];
    const model = explorerModel(shown);
    const page = await show(model);
    const verdict = () => page.el.querySelector(".twe-trust summary .twe-verdict:last-child")?.textContent;
    expect(verdict()).toBe("readable");
    expect(page.el.querySelector(".twe-trust p:last-child")?.textContent).toMatch(
      /0\.71 \[0\.62, 0\.79\]; along random axes of the same subspace 0\.54.*p = 0\.012/,
    );
    model.python("dimension", 1);
    await settle(50);
    expect(verdict()).toBe("read no better than random axes");
    model.python("dimension", 2);
    await settle(50);
    expect(verdict()).not.toMatch(/read/);
  });

  it("shows the real patches of both ends, and those of the slider's point beside the image", async () => {
    const shown = film();
    shown.patches = { each: 2, of: "60 scenes", cells: { width: 4, height: 4, columns: 4 } };
    for (const dimension of shown.dimensions) dimension.patchCoordinate = Array(5).fill([1, null]);
    const model = explorerModel(shown);
    model.state._patches = shown.dimensions.map(() => new DataView(new ArrayBuffer(4)));
    const page = await show(model);
    expect(page.text(".twe-patches h4")).toBe("Real patches nearest to both ends, of 60 scenes");
    // One a point, for the second is not there; the slider stands at the third of five points.
    expect(page.el.querySelectorAll(".twe-patches canvas")).toHaveLength(2);
    expect(page.el.querySelectorAll(".twe-pictures .twe-beside canvas")).toHaveLength(1);
    const cells = drawn.mock.calls.filter((args) => args[3] === 4).map((args) => [args[1], args[2]]);
    // In a mosaic of four columns: the third point's, the first's, the last's.
    expect(cells.slice(-3)).toEqual([
      [0, 4],
      [0, 0],
      [0, 8],
    ]);
  });

  it("tells what the network does without a dimension, and which classes move with it", async () => {
    const shown = film();
    const [first, second] = shown.dimensions;
    if (!first || !second) throw new Error("no dimensions");
    first.stability = 0.934;
    first.effects = {
      loss: 0.21,
      lossError: 0.034,
      p: 0.05,
      classes: [
        { name: "<b>zebra</b>", change: [-2, -1, 0, 1, 2] },
        { name: "car", change: [0.5, 0.25, 0, -0.25, -0.5] },
      ],
    };
    const page = await show(explorerModel(shown));
    const facts = () => [...page.el.querySelectorAll(".tw-numbers div")].map((fact) => fact.textContent);
    const classes = () => [...page.el.querySelectorAll(".twe-classes li")].map((row) => row.textContent);
    expect(facts()).toContain("comes back0.93");
    expect(facts()).toContain("loss without it+0.21 ± 0.03");
    expect(classes()).toEqual(["<b>zebra</b>0.00", "car0.00"]);
    const [slider] = page.sliders();
    if (!slider) throw new Error("no slider");
    slider.value = "4";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await settle(50);
    expect(classes()).toEqual(["<b>zebra</b>+2.00", "car−0.50"]);
    expect(page.el.querySelector<HTMLElement>(".twe-falls")?.style.width).toBe("12.5%");
    page.labels()[1]?.focus();
    await settle(50);
    expect(page.el.querySelector(".twe-classes")).toBeNull();
    expect(facts().join()).not.toContain("comes back");
  });

  it("follows Python", async () => {
    const model = explorerModel();
    const page = await show(model);
    model.python("dimension", 2);
    model.python("points", [0, 1, 3]);
    model.python("labels", ["", "", "<b>bold</b>"]);
    await settle(50);
    expect(page.current()).toBe(2);
    expect(page.sliders().map((slider) => slider.value)).toEqual(["0", "1", "3"]);
    expect(page.text(".twe-title")).toBe("<b>bold</b>");
    expect(page.el.querySelector("b")).toBeNull();
    expect(model.saved).toEqual([]);
  });

  it("sends what is typed as a label", async () => {
    const model = explorerModel();
    const page = await show(model);
    const input = page.labels()[2];
    if (!input) throw new Error("no label");
    input.focus();
    input.value = "phase";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await settle(200);
    expect(model.state).toMatchObject({ labels: ["", "", "phase"], dimension: 2 });
    press(input, "Enter");
    expect(document.activeElement).toBe(page.sliders()[2]);
  });

  it("offers a suggested label, which one click takes", async () => {
    const model = explorerModel();
    const page = await show(model);
    expect(page.text(".twe-suggestion")).toBe("orange/blue?×p = .035");
    expect(page.text(".twe-progress")).toBe("0 of 3 labeled");
    expect(page.el.querySelectorAll(".twe-row")[1]?.getAttribute("aria-label")).toBe("orange/blue");
    page.el.querySelector<HTMLButtonElement>(".twe-accept")?.click();
    await settle(200);
    expect(model.state).toMatchObject({ labels: ["", "orange/blue", ""], dimension: 1 });
    expect(page.el.querySelector(".twe-suggestion")).toBeNull();
    expect(page.text(".twe-progress")).toBe("1 of 3 labeled");
    // Its number stays with it.
    expect([...page.el.querySelectorAll(".twe-share")].map((share) => share.textContent?.trim())).toEqual([
      expect.not.stringContaining("dimension"),
      expect.stringContaining("dimension 1 · "),
      expect.not.stringContaining("dimension"),
    ]);
    // What was taken can be edited like any label; emptied, the suggestion is back.
    model.python("labels", ["", "", ""]);
    await settle(50);
    expect(page.el.querySelector(".twe-suggestion")).not.toBeNull();
  });

  it("goes through suggestions by one key each", async () => {
    const shown = film();
    for (const dimension of shown.dimensions) dimension.suggestion = `d${dimension.index}, p = .02`;
    const model = explorerModel(shown);
    const page = await show(model);
    press(page.sliders()[0], "y");
    await settle(50);
    expect(page.current()).toBe(1);
    press(page.sliders()[1], "n");
    await settle(50);
    press(page.sliders()[2], "k");
    await settle(50);
    // Turned down already: the key has nothing to decide, and stays.
    press(page.sliders()[1], "y");
    await settle(200);
    expect(page.current()).toBe(1);
    expect(model.state).toMatchObject({ labels: ["d0", "", ""], rejected: [false, true, false] });
    expect(page.text(".twe-title")).toBe("dimension 1");
    press(page.sliders()[1], "l");
    expect(document.activeElement).toBe(page.labels()[1]);
    press(page.labels()[1], "y");
    await settle(200);
    expect(model.state.labels).toEqual(["d0", "", ""]);
  });

  it("keeps several views in step", async () => {
    const page = await show(explorerModel(), 2);
    slide(page.sliders(page.elements[1])[0], 4);
    await settle(50);
    expect(page.sliders()[0]?.value).toBe("4");
  });

  it("says why a dimension is not shown, and offers nothing to move", async () => {
    const model = explorerModel(film(3, 5, { 1: "constant direction: nothing turns" }));
    const page = await show(model);
    press(page.sliders()[0], "ArrowDown");
    await settle(50);
    expect(page.text(".twe-empty")).toBe("constant direction: nothing turns");
    expect(page.sliders()[1]?.disabled).toBe(true);
    expect(page.play().disabled).toBe(true);
    press(document.activeElement, "ArrowRight");
    press(document.activeElement, " ");
    await settle(200);
    expect(model.state).toMatchObject({ dimension: 1, points: [2, 2, 2], playing: false });
    press(document.activeElement, "ArrowDown");
    await settle(50);
    expect(page.current()).toBe(2);
  });

  it("says what changed to those who can't see it", async () => {
    const page = await show(explorerModel());
    expect(page.text(".tw-status")).toBe("");
    press(page.sliders()[0], "ArrowRight");
    await settle(1000);
    expect(page.text(".tw-status")).toBe("dimension 0: point 4 of 5, coordinate 1.00, cosine 0.90");
  });

  it("shows the film's warnings", async () => {
    const page = await show(explorerModel({ ...film(), warnings: ["ICA did not converge."] }));
    expect(page.text(".tw-note")).toBe("ICA did not converge.");
  });
});

describe("playing", () => {
  it("makes one round trip and stops where it began", async () => {
    const model = explorerModel();
    const page = await show(model);
    page.play().click();
    await settle(STEP + 10);
    expect(page.text(".twe-count")).toBe("4 / 5");
    expect(page.play().getAttribute("aria-pressed")).toBe("true");
    await settle(STEP * 12);
    expect(model.state).toMatchObject({ playing: false, points: [2, 2, 2] });
  });

  it("stops at a press of space and when the reader takes the slider", async () => {
    const model = explorerModel();
    const page = await show(model);
    press(page.sliders()[0], " ");
    await settle(STEP + 10);
    press(page.sliders()[0], " ");
    await settle(STEP * 3);
    expect(page.text(".twe-count")).toBe("4 / 5");
    press(page.sliders()[0], " ");
    slide(page.sliders()[0], 0);
    await settle(STEP * 3);
    expect(model.state).toMatchObject({ playing: false, points: [0, 2, 2] });
  });

  it("leaves the pace to another window that moves the slider", async () => {
    const model = explorerModel(film(1, 30));
    const page = await show(model);
    model.python("playing", true);
    for (let point = 3; point < 20; point++) {
      model.python("points", [point]);
      await settle(STEP);
      expect(page.text(".twe-count")).toBe(`${point + 1} / 30`);
    }
    await settle(FOLLOWER_WAIT - STEP + 10);
    expect(page.text(".twe-count")).toBe("21 / 30");
  });

  it("rests while no view is open", async () => {
    const model = explorerModel();
    const page = await show(model);
    page.play().click();
    page.host.abort();
    await settle(STEP * 5);
    expect(model.state.points).toEqual([2, 2, 2]);
  });
});

describe("images that are not in the page", () => {
  it("are asked of the kernel, the active dimension's first", async () => {
    const model = explorerModel(film(), [1, 2]);
    model.state.dimension = 2;
    const page = await show(model);
    expect(page.text(".twe-empty")).toBe("loading from the kernel…");
    expect(model.sent.map((request) => request.dimension)).toEqual([2]);
    model.reply({ id: model.sent[0]?.id, kind: "done" }, [new DataView(new ArrayBuffer(4))]);
    await settle(10);
    expect(page.text(".twe-empty")).toBe("");
    expect(largeCell()).toEqual([16, 0]);
    expect(model.sent.map((request) => request.dimension)).toEqual([2, 1]);
  });

  it("are not waited for forever, and can be asked for again", async () => {
    const model = explorerModel(film(), [0, 1]);
    model.sendFails = true;
    const page = await show(model);
    expect(page.text(".twe-empty")).toContain("not in this page; kernel not connected");
    model.sendFails = false;
    page.el.querySelector<HTMLButtonElement>(".twe-empty button")?.click();
    await settle(10);
    expect(page.text(".twe-empty")).toBe("loading from the kernel…");
    expect(model.sent).toHaveLength(1);
  });
});

describe("the end", () => {
  it("leaves nothing behind when the host's signal aborts", async () => {
    const model = explorerModel();
    const page = await show(model, 2);
    page.play().click();
    page.host.abort();
    await settle(50);
    expect(page.elements.map((el) => el.childElementCount)).toEqual([0, 0]);
    expect(model.listeners()).toBe(0);
    expect(closed).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("comes with the returned cleanup where the host passes no signal", async () => {
    const model = explorerModel();
    const { initialize, render } = widget();
    const el = document.createElement("div");
    const ends = [initialize({ model: model as never }), render({ model: model as never, el })];
    await settle(50);
    expect(el.childElementCount).toBe(1);
    for (const end of ends.reverse()) end();
    expect(el.childElementCount).toBe(0);
    expect(model.listeners()).toBe(0);
  });
});

describe("all sliders together", () => {
  function live() {
    const model = explorerModel();
    model.state._combine = { home: [0, 0.5, 0] };
    const told = (kind: string, more = {}, at = model.sent.length - 1) =>
      model.reply({ id: model.sent[at]?.id, kind, ...more }, [new DataView(new ArrayBuffer(4))]);
    const facts = (step: number) => ({
      coordinates: model.state.coordinates,
      step,
      steps: 48,
      cosine: 0.9,
      units: [7],
      weights: [0.5],
      from: [1, 1, 4],
    });
    const button = (el: HTMLElement, name: string) =>
      [...el.querySelectorAll("button")].find((each) => each.textContent === name);
    return { model, told, facts, button };
  }

  it("are offered only where there is a network", async () => {
    expect((await show(explorerModel())).el.querySelector(".tw-livebar")).toBeNull();
    expect((await show(live().model)).el.querySelector(".tw-livebar")).not.toBeNull();
  });

  it("start at the image that is shown, and move on between points", async () => {
    const { model, told, facts, button } = live();
    const page = await show(model);
    slide(page.sliders()[0], 4);
    await settle(200);
    button(page.el, "All sliders together")?.click();
    await settle(200);
    expect(model.state.coordinates).toEqual([8, 0.5, 0]);
    expect(model.sent.at(-1)).toMatchObject({ kind: "image", coordinates: [8, 0.5, 0] });
    told("progress");
    slide(page.sliders()[2], 2.5);
    await settle(200);
    expect(model.state.coordinates).toEqual([8, 0.5, 0.5]);
    expect(model.sent).toHaveLength(2);
    told("progress");
    told("partial", facts(20));
    await settle(50);
    expect(page.text(".twe-count")).toBe("step 20 / 48");
    told("partial", facts(48));
    told("done");
    await settle(50);
    expect(page.text(".twe-count")).toBe("finished");
    expect(page.text(".twe-together .twe-units")).toContain("unit 7");
    expect(page.el.querySelector(".tw-growth")).toBeNull();
    page.host.abort();
  });

  it("shows a remembered image without asking, keeps it, and goes where it grew from", async () => {
    const { model, told, facts, button } = live();
    const page = await show(model);
    model.python("coordinates", [1, 0, 0]);
    await settle(200);
    told("partial", facts(48));
    told("done");
    await settle(50);
    button(page.el, "Add to record")?.click();
    expect(model.sent.at(-1)).toMatchObject({ kind: "keep", coordinates: [1, 0, 0] });
    told("done");
    model.python("_kept", [{ coordinates: [1, 0, 0], cosine: 0.9, image: new DataView(new ArrayBuffer(4)) }]);
    await settle(50);
    expect(button(page.el, "In the record")?.disabled).toBe(true);
    page.el.querySelector<HTMLButtonElement>(".twe-origin button")?.click();
    await settle(200);
    expect(model.state.coordinates).toEqual([0, 8, 0]);
    const asked = model.sent.length;
    page.el.querySelector<HTMLButtonElement>(".twe-kept button")?.click();
    await settle(200);
    expect(model.state.coordinates).toEqual([1, 0, 0]);
    expect(page.text(".twe-count")).toBe("finished");
    expect(model.sent.slice(asked).map(({ kind }) => kind)).toEqual(["cancel"]);
    page.host.abort();
  });

  it("asks again where it joined an image too late to see it", async () => {
    const { model, told, facts } = live();
    const page = await show(model);
    model.python("coordinates", [1, 0, 0]);
    await settle(200);
    told("progress", { same: "another window's" });
    model.reply({ id: "another window's", kind: "done" });
    await settle(50);
    expect(model.sent).toHaveLength(2);
    told("partial", facts(48));
    told("done");
    await settle(50);
    expect(page.text(".twe-count")).toBe("finished");
    page.host.abort();
  });

  it("shows the record's image where the kernel has gone, and never spins forever", async () => {
    const { model, told } = live();
    const page = await show(model);
    model.python("coordinates", [1, 0, 0]);
    await settle(200);
    told("progress");
    model.emit("comm_live_update");
    await settle(50);
    expect(page.text(".tw-kernel")).toBe("kernel not connected: showing what the record holds");
    expect(page.text(".twe-count")).toBe("from the record");
    expect(page.text(".twe-title")).toBe("dimension 0, point 4");
    model.python("_kept", [{ coordinates: [1, 0, 0], cosine: 0.9, image: new DataView(new ArrayBuffer(4)) }]);
    await settle(50);
    expect(page.text(".twe-title")).toBe("Kept image");
    slide(page.sliders()[0], 1.5);
    await settle(500);
    expect(page.text(".twe-count")).toBe("from the record");
    expect(page.el.querySelector(".tw-growth")).toBeNull();
    expect(page.el.querySelector(".tw-growth")).toBeNull();
    page.host.abort();
  });

  it("ends a walk as soon as the reader moves a slider", async () => {
    const { model, told, facts, button } = live();
    const page = await show(model);
    model.python("coordinates", [1, 0, 0]);
    await settle(200);
    told("partial", facts(48));
    told("done");
    await settle(50);
    button(page.el, "Random walk")?.click();
    await settle(200);
    const walked = model.state.coordinates;
    expect(walked).not.toEqual([1, 0, 0]);
    slide(page.sliders()[1], 2);
    told("progress");
    told("partial", facts(48));
    told("done");
    await settle(5_000);
    expect(button(page.el, "Random walk")).toBeDefined();
    // Begun again, and ended while a finished image is looked at.
    button(page.el, "Random walk")?.click();
    await settle(200);
    told("partial", facts(48));
    told("done");
    await settle(50);
    button(page.el, "Stop walk")?.click();
    await settle(5_000);
    expect(button(page.el, "Random walk")).toBeDefined();
    expect(page.text(".twe-count")).toBe("finished");
    expect(model.sent.filter(({ kind }) => kind === "image")).toHaveLength(4);
    page.host.abort();
  });
});
