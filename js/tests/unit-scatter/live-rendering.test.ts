import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { complete, type Grown, grow } from "../../src/unit-scatter/data/layer-updates";
import { unitWarnings } from "../../src/unit-scatter/data/unit-warnings";
import { lineOf, waitsFor } from "../../src/unit-scatter/data/units";
import { figure } from "../../src/unit-scatter/plot/figure";
import { pageFigure } from "../../src/unit-scatter/plot/page-figure";
import { Scatter } from "../../src/unit-scatter/state/scatter";
import { AXIS, layer, scatterModel, TEMPLATE } from "./units";

const LOOK = {
  width: 700,
  height: 400,
  background: "#fff",
  text: "#111",
  quiet: "#666",
  line: "#ddd",
  font: "serif",
};
const GROWN: Grown = {
  values: { rs: 0.5 },
  axes: { rs: { iam: { scale: "linear", range: [-0.1, 0.9], ticks: [], varied: true } } },
  silent: false,
  missing: null,
  said: null,
  display: "",
  displayResponse: null,
  exceeders: [1, 0],
  ratios: [3, 2],
  course: { steps: [2, 4], rs: [[0.75, 0.5]], own: [[0.1, 2]] },
};

/** A layer of three units, of which the last two have no image yet. */
function waiting() {
  const made = layer("conv1", [0.1, 0.5, 0.9], [0.25, null, null]);
  for (const objective of ["am", "iam"]) {
    made.table.waiting[objective] = [1, 2];
    const shown = made.shown[objective];
    if (shown) shown.missing = { 1: "not made yet", 2: "not made yet" };
    const values = made.table.columns.rs?.values as Record<string, (number | null)[]>;
    values[objective] = [0.25, null, null];
  }
  return made;
}

describe("a layer that grows", () => {
  it("takes in all that is told of a unit", () => {
    const one = waiting();
    grow(one, "iam", 2, structuredClone(GROWN));
    expect(one.table.columns.rs).toMatchObject({
      axis: { iam: { range: [-0.1, 0.9] } },
      values: { iam: [0.25, null, 0.5] },
    });
    expect(one.table.waiting).toEqual({ am: [1, 2], iam: [1] });
    expect(waitsFor(one, 2)).toEqual(["am"]);
    expect(one.shown.iam?.missing).toEqual({ 1: "not made yet" });
    expect(one.shown.iam?.exceeders[2]).toEqual([1, 0]);
    expect(lineOf(one, "iam", 2, "rs")).toEqual({ steps: [2, 4], values: [0.75, 0.5] });
    expect(lineOf(one, "iam", 1, "rs")).toEqual({ steps: [], values: [] });
  });

  it("tells a failure and silence from waiting", () => {
    const one = waiting();
    expect(unitWarnings(one, "iam", 2)).toEqual([]);
    grow(one, "iam", 2, { ...GROWN, missing: "failed: NaN", values: { rs: null } });
    expect(one.table.failed.iam).toEqual([2]);
    expect(unitWarnings(one, "iam", 2)).toEqual(["No IAM image: failed: NaN."]);
    grow(one, "am", 1, { ...GROWN, silent: true });
    expect(one.table.silent.am).toEqual([1]);
  });

  it("gets the columns that only a whole layer has", () => {
    const one = waiting();
    complete(one, { table: { ...one.table, dead: [0] }, notes: ["all alike"] });
    expect([one.table.dead, one.notes]).toEqual([[0], ["all alike"]]);
  });
});

describe("units without an image in the plot", () => {
  const draw = (y: string, x = "selectivity") => {
    const one = waiting();
    one.table.columns.auc = { label: "AUC", kind: "share", axis: AXIS, values: [1, 1, 1] };
    const bound = figure(TEMPLATE, one.table, { x, y, color: "none", objective: "iam" });
    return pageFigure(bound, LOOK, [], "a", "lasso", { layer: one, objective: "iam" });
  };

  it("stand hollow in a lane along the x axis, where their RS would be the y axis", () => {
    const { data, layout } = draw("rs");
    expect(data.map(({ customdata }) => customdata)).toEqual([[0], [1, 2]]);
    expect(data[1]).toMatchObject({ yaxis: "y2", x: [0.5, 0.9], marker: { symbol: "circle-open" } });
    expect(data[0]?.marker.symbol).toBeUndefined();
    expect(layout.annotations).toMatchObject([{ text: "not rendered yet: 2 of 3" }]);
    expect((layout.yaxis.domain as number[])[0]).toBeGreaterThan(0.1);
    expect(layout.dragmode).toBe("lasso");
  });

  it("stand side by side, where the x axis too is of images", () => {
    expect(draw("auc", "rs").data[1]?.x).toEqual([0.25, 0.75]);
  });

  it("stand hollow at their place, where both axes are known", () => {
    const { data, layout } = draw("auc");
    expect(data).toHaveLength(1);
    expect(data[0]?.marker.symbol).toEqual(["circle", "circle-open", "circle-open"]);
    expect(layout.yaxis2).toBeUndefined();
  });
});

describe("rendering", () => {
  let end: AbortController;

  beforeEach(() => {
    end = new AbortController();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    vi.stubGlobal("createImageBitmap", async () => ({ close: () => undefined }));
  });

  afterEach(() => {
    end.abort();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function begin(state: Record<string, unknown> = {}) {
    const model = scatterModel({ layers: [waiting()] }, { _rendering: { ready: true }, ...state });
    const scatter = new Scatter(model as never, end.signal);
    const { rendering } = scatter;
    if (!rendering) throw new Error("no rendering");
    const tell = (kind: string, facts: object = {}, id = model.sent.at(-1)?.id) =>
      model.reply({ id, kind, ...facts }, kind === "partial" ? [new DataView(new ArrayBuffer(4))] : []);
    const news = { layer: "conv1", unit: 2, objective: "iam", task: "image", step: 1, steps: 4, all: null };
    return { model, scatter, rendering, tell, news };
  }

  it("asks at once what is under way, and for a unit that is opened and waits", () => {
    const { model, scatter, rendering, tell, news } = begin();
    expect(model.sent).toMatchObject([{ kind: "render" }]);
    tell("done");
    scatter.open(0);
    expect(model.sent).toHaveLength(1);
    scatter.open(2);
    expect(model.sent.at(-1)).toMatchObject({ kind: "render", unit: 2, objective: "iam", task: "image" });
    expect([rendering.stage, rendering.isAt("conv1", 2)]).toEqual(["asked", true]);
    tell("progress");
    tell("partial", { ...news, rs: 0.5, own: 1 });
    expect([rendering.stage, rendering.now?.step]).toEqual(["running", 1]);
    expect(rendering.course).toEqual({ steps: [1], rs: [0.5], own: [1] });
    tell("partial", { ...news, step: 4, grown: GROWN });
    expect(scatter.waiting).toEqual(new Set([1, 2]));
    tell("partial", { ...news, objective: "am", step: 4, grown: GROWN });
    expect(scatter.waiting).toEqual(new Set([1]));
    expect(scatter.images.arrived.has("conv1", "am", 2)).toBe(true);
    tell("done");
    expect([rendering.stage, rendering.now]).toEqual(["idle", undefined]);
    expect(model.sent).toHaveLength(2);
  });

  it("takes both images of a unit that has two", () => {
    const { model, scatter, news } = begin();
    const grown = { ...GROWN, display: "bounded contrast", displayResponse: 1 };
    const bytes = () => new DataView(new ArrayBuffer(4));
    const id = model.sent.at(-1)?.id;
    model.reply({ id, kind: "partial", ...news, step: 4, grown }, [bytes(), bytes()]);
    model.reply({ id, kind: "partial", ...news, unit: 1, step: 4, grown: GROWN }, [bytes()]);
    const has = (kind: string, unit: number) => scatter.images.arrived.has("conv1", kind, unit);
    expect([has("iam", 2), has("iam measured", 2)]).toEqual([true, true]);
    expect([has("iam", 1), has("iam measured", 1)]).toEqual([true, false]);
    expect(scatter.layer.shown.iam?.display).toEqual({ "bounded contrast": [2] });
  });

  it("keeps a click and a run through all together while neither is answered", () => {
    const { model, scatter, tell } = begin({ unit: 1 });
    scatter.renderAll();
    expect(model.sent).toHaveLength(1);
    tell("progress");
    expect(model.sent.at(-1)).toMatchObject({ kind: "render", unit: 1, all: true });
  });

  it("asks once more where the run ended just before a click", () => {
    const { model, scatter, rendering, tell } = begin();
    tell("done");
    scatter.open(1);
    tell("done");
    expect(model.sent).toHaveLength(3);
    tell("done");
    expect([model.sent.length, rendering.stage]).toEqual([3, "idle"]);
  });

  it("stops, and a click on the opened unit asks again", () => {
    const { model, scatter, rendering, tell, news } = begin({ unit: 2 });
    tell("progress");
    tell("partial", news);
    rendering.stop();
    expect(model.sent.at(-1)?.kind).toBe("cancel");
    expect([rendering.stage, rendering.busy]).toEqual(["stopped", false]);
    scatter.open(2);
    expect(model.sent.at(-1)).toMatchObject({ kind: "render", unit: 2 });
  });

  it("says what failed, of which unit, and tries it again with the rest", () => {
    const { model, scatter, rendering, tell, news } = begin();
    tell("done");
    scatter.renderAll();
    tell("progress");
    tell("partial", { ...news, all: [1, 2] });
    expect(rendering.all).toEqual([1, 2]);
    tell("error", { message: "the lights went out", details: "Traceback" });
    expect(rendering.trouble).toEqual({ message: "the lights went out", details: "Traceback" });
    expect([rendering.stage, rendering.lost?.unit, rendering.all]).toEqual(["failed", 2, null]);
    rendering.retry();
    expect([rendering.trouble, rendering.stage]).toEqual([undefined, "asked"]);
    tell("progress");
    expect(model.sent.at(-1)).toMatchObject({ unit: 2, all: true });
  });

  it("answers a run through all at once, and says what failed before its first unit", () => {
    const { model, scatter, rendering, tell } = begin();
    tell("done");
    scatter.renderAll();
    expect([rendering.stage, rendering.all]).toEqual(["asked", [0, 2]]);
    tell("progress");
    tell("error", { message: "no memory", details: "Traceback" });
    expect([rendering.stage, rendering.lost, rendering.all]).toEqual(["failed", undefined, null]);
    expect(rendering.trouble?.message).toBe("no memory");
    rendering.retry();
    expect([rendering.stage, rendering.trouble, rendering.all]).toEqual(["asked", undefined, [0, 2]]);
    expect(model.sent.at(-1)).toMatchObject({ kind: "render", all: true });
  });

  it("keeps what is finished when the kernel goes, and nothing spins forever", () => {
    const { model, scatter, rendering, tell, news } = begin({ unit: 2 });
    tell("progress");
    tell("partial", { ...news, step: 4, grown: GROWN });
    model.emit("comm_live_update");
    expect([rendering.gone, rendering.busy, rendering.trouble]).toEqual([true, false, undefined]);
    expect(scatter.images.arrived.has("conv1", "iam", 2)).toBe(true);
    scatter.open(1);
    expect(rendering.busy).toBe(false);
  });

  it("takes what somebody else asked for, and follows it", () => {
    const { model, scatter, rendering, tell, news } = begin();
    tell("done");
    tell("partial", { ...news, grown: GROWN }, "python");
    expect(scatter.units.layers[0]?.table.waiting.iam).toEqual([1]);
    expect(model.sent.at(-1)).toMatchObject({ kind: "render" });
    expect(rendering.busy).toBe(true);
    tell("progress", { same: "python" });
    tell("partial", { ...news, unit: 1, all: [1, 2] }, "python");
    expect([rendering.now?.unit, rendering.all]).toEqual([1, [1, 2]]);
  });

  it("tells what became of a further restart", () => {
    const { scatter, rendering, tell, news } = begin();
    tell("done");
    scatter.more(0, "restart");
    tell("progress");
    tell("partial", { ...news, unit: 0, task: "restart", step: 4, grown: GROWN, kept: false });
    tell("done");
    expect(rendering.outcome).toMatchObject({ unit: 0, task: "restart", kept: false, steps: 4 });
  });
});
