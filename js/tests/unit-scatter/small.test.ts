import { describe, expect, it } from "vitest";
import { axisColumns, colorColumns, firstChoices } from "../../src/unit-scatter/data/choices";
import { unitWarnings } from "../../src/unit-scatter/data/unit-warnings";
import { classBars, drop, exceedingSentence, number, valueText } from "../../src/unit-scatter/data/units";
import { ordered, windowed } from "../../src/unit-scatter/data/visible-rows";
import { figure } from "../../src/unit-scatter/plot/figure";
import { pageFigure, plainTitle } from "../../src/unit-scatter/plot/page-figure";
import { AXIS, layer, TEMPLATE } from "./units";

const some = layer("conv1", [0.3, 0.1, null, 0.2], [0.5, 0.25, null, 0]);

describe("a value as text", () => {
  it("is a class by name, a share to hundredths, nothing where there is none", () => {
    expect(valueText(some, "preferred_class", "iam", 1)).toBe("dog");
    expect(valueText(some, "selectivity", "iam", 0)).toBe("0.30");
    expect(valueText(some, "rs", "am", 0)).toBe("0.00");
    expect(valueText(some, "selectivity", "iam", 2)).toBe("–");
    expect(valueText(some, "nothing", "iam", 0)).toBe("–");
  });

  it("has three digits and a true minus sign", () => {
    expect([0, 1234.5, 0.012345, -2.5, 1e-6, null].map(number)).toEqual([
      "0",
      "1235",
      "0.0123",
      "−2.50",
      "1.0e−6",
      "–",
    ]);
    expect([0.0312, -0.0312, -0.00001, null].map(drop)).toEqual(["3.1%", "−3.1%", "0.0%", "–"]);
  });
});

describe("who exceeds a unit", () => {
  it("is said in plainTitle, with the unit's copies", () => {
    expect(exceedingSentence(some, "iam", 0)).toBe("2 of 4 units respond more strongly:");
    expect(exceedingSentence(some, "iam", 1)).toBe("1 of 4 units responds more strongly; the strongest 0:");
    expect(exceedingSentence(some, "iam", 2)).toBe("");
    const copies = structuredClone(some);
    copies.table.columns.substitutes = {
      label: "",
      kind: "count",
      axis: { scale: "linear", range: [0, 3], ticks: [], varied: true },
      values: [3, 3, 3, 3],
    };
    expect(exceedingSentence(copies, "iam", 3)).toBe(
      "No other unit responds more strongly to it, so by RS none could replace it. Yet 3 respond alike and could stand in for it.",
    );
  });
});

it("says what is the matter with a unit", () => {
  const ill = structuredClone(some);
  ill.table.dead = [0];
  ill.table.silent = { iam: [1] };
  (ill.shown.iam as { missing: Record<string, string> }).missing = { 2: "the image held NaN" };
  expect(unitWarnings(ill, "iam", 0)[0]).toMatch(/^Dead/);
  expect(unitWarnings(ill, "iam", 1)[0]).toMatch(/^Silent/);
  expect(unitWarnings(ill, "iam", 2)).toEqual(["No IAM image: the image held NaN."]);
  expect(unitWarnings(ill, "am", 1)).toEqual([]);
});

it("draws bars for all classes, or for those a unit responds to most", () => {
  expect(classBars(some, 3)).toEqual([
    { name: "cat", mean: 3 },
    { name: "dog", mean: 1 },
  ]);
  const many = { ...some, means: { classes: [[1]], means: [[7]] } };
  expect(classBars(many, 0)).toEqual([{ name: "dog", mean: 7 }]);
});

describe("the table's rows", () => {
  it("go by a column or by number, those without a value last either way", () => {
    expect(ordered(some, "iam", { column: "selectivity", rising: true })).toEqual([1, 3, 0, 2]);
    expect(ordered(some, "iam", { column: "selectivity", rising: false })).toEqual([0, 3, 1, 2]);
    expect(ordered(some, "iam", { column: "", rising: false })).toEqual([3, 2, 1, 0]);
    expect(ordered(some, "iam", { column: "preferred_class", rising: false })).toEqual([1, 3, 0, 2]);
  });

  it("are only those in view and a few more", () => {
    expect(windowed(4096, 0, 260, 26, 2)).toEqual({ first: 0, last: 12 });
    expect(windowed(4096, 2600, 260, 26, 2)).toEqual({ first: 98, last: 112 });
    expect(windowed(5, 0, 260, 26)).toEqual({ first: 0, last: 5 });
  });
});

describe("what may be chosen", () => {
  it("is on the axes any number, and at first RS against selectivity", () => {
    expect(axisColumns(some)).toEqual(["selectivity", "rs"]);
    expect(colorColumns(some)).toEqual(["preferred_class"]);
    expect(firstChoices(some)).toEqual({
      x: "selectivity",
      y: "rs",
      color: "preferred_class",
      objective: "iam",
    });
  });

  it("falls back where a layer lacks them", () => {
    const deep = structuredClone(some);
    if (deep.table.columns.rs) deep.table.columns.rs.axis = { am: AXIS, iam: { ...AXIS, varied: false } };
    deep.table.columns.mean_activation = { label: "m", kind: "number", axis: AXIS, values: [1, 2, 3, 4] };
    expect(firstChoices(deep).y).toBe("mean_activation");
    const bare = structuredClone(some);
    bare.table.objectives = [];
    bare.table.columns = {
      auc: { label: "AUC", kind: "share", axis: AXIS, values: [1, 1, 1, 1] },
    };
    expect(firstChoices(bare)).toEqual({ x: "auc", y: "auc", color: null, objective: "" });
  });
});

describe("the figure in the page", () => {
  const look = {
    width: 700,
    height: 400,
    background: "#fff",
    text: "#111",
    quiet: "#666",
    line: "#ddd",
    font: "serif",
  };
  const bound = figure(TEMPLATE, some.table, { x: "selectivity", y: "rs", color: "none", objective: "iam" });

  it("keeps the data and takes the page's type, without a title", () => {
    const { data, layout } = pageFigure(bound, look, [], "a");
    expect(data[0]?.x).toEqual(bound.data[0]?.x);
    expect(data[0]?.selectedpoints).toBeNull();
    expect(layout.title).toBeUndefined();
    expect(layout.font).toMatchObject({ family: "serif", color: "#111" });
  });

  it("marks the selected units, by their place among those drawn", () => {
    expect(pageFigure(bound, look, [3, 2], "a").data[0]?.selectedpoints).toEqual([2]);
  });

  it("makes room for the legend under a narrow plot, a row more where fewer names stand in one", () => {
    const [trace] = bound.data;
    const eight = Array.from({ length: 8 }, () => ({ ...trace, showlegend: true })) as typeof bound.data;
    const bottom = (width: number) =>
      pageFigure({ ...bound, data: eight }, { ...look, width }, [], "a").layout;
    expect(bottom(500)).toMatchObject({ margin: { b: 46 + 71 }, legend: { yref: "container", y: 0 } });
    expect(bottom(230)).toMatchObject({ margin: { b: 46 + 166 }, height: look.height + 166 });
    expect(bottom(600)).toMatchObject({ margin: { b: 46 }, height: look.height });
  });

  it("cuts names that a narrow legend can't hold, and makes room for the long ones that it can", () => {
    const [trace] = bound.data;
    const drawn = (name: string, width: number) => {
      const two = Array.from({ length: 2 }, () => ({
        ...trace,
        name,
        showlegend: true,
      })) as typeof bound.data;
      const { data, layout } = pageFigure({ ...bound, data: two }, { ...look, width }, [], "a");
      return {
        name: (data[0] as { name?: string } | undefined)?.name,
        bottom: (layout.margin as { b: number }).b,
      };
    };
    expect(drawn("cat", 390)).toEqual({ name: "cat", bottom: 46 + 14 + 19 });
    expect(drawn("Siamese cat, Siamese", 390)).toEqual({
      name: "Siamese cat, Siamese",
      bottom: 46 + 14 + 2 * 19,
    });
    expect(drawn(`${"a".repeat(20)}&lt;b&gt;${"c".repeat(90)}`, 390).name).toBe(
      `${"a".repeat(20)}&lt;b&gt;${"c".repeat(15)}…`,
    );
    expect(drawn("x".repeat(110), 700).name).toHaveLength(110);
  });

  it("has its title as plain text", () => {
    expect(plainTitle("<b>a&lt;b&gt;</b>: x &amp; y")).toBe("a<b>: x & y");
  });
});
