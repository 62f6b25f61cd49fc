import { describe, expect, it } from "vitest";
import written from "../../../tests/unit_scatter_golden.json";
import { type UnitColumns, valuesOf } from "../../src/unit-scatter/data/columns";
import type { Template } from "../../src/unit-scatter/data/figure-template";
import { type Figure, type FigureChoice, figure } from "../../src/unit-scatter/plot/figure";
import { rankCorrelation } from "../../src/unit-scatter/plot/spearman";

interface Golden {
  template: [Template];
  tables: UnitColumns[];
  cases: { layer: string; choice: FigureChoice; figure: Figure }[];
}

// tests/test_unit_scatter_figure.py writes it from Python's figures, and holds it up to date.
const { template, tables, cases } = written as unknown as Golden;
const [shape] = template;

function tableOf(layer: string): UnitColumns {
  const table = tables.find((one) => one.layer === layer);
  if (!table) throw new Error(`no layer ${layer}`);
  return table;
}

describe("the page's figure", () => {
  it.each(cases)("is Python's: $layer, $choice.y against $choice.x by $choice.color", (given) => {
    const made = figure(shape, tableOf(given.layer), given.choice);
    expect(JSON.parse(JSON.stringify(made))).toEqual(given.figure);
  });

  it("leaves its template and its columns as they were", () => {
    const before = JSON.stringify([shape, tables]);
    for (const { layer, choice } of cases) figure(shape, tableOf(layer), choice);
    expect(JSON.stringify([shape, tables])).toBe(before);
  });

  it("keeps a unit's id from one objective to the next", () => {
    const [am, iam] = ["am", "iam"].map((objective) => {
      const choice = { x: "selectivity", y: "rs", color: "preferred_class", objective };
      return figure(shape, tableOf("fc"), choice).data.map((trace) => trace.ids);
    });
    expect(am).toEqual(iam);
  });

  it("refuses what the layer has no column for", () => {
    const choice = { x: "selectivity", y: "rs", color: "none", objective: "iam" };
    const table = tableOf("fc");
    expect(() => figure(shape, table, { ...choice, x: "accuracy_drop" })).toThrow("no column accuracy_drop");
    expect(() => figure(shape, table, { ...choice, x: "preferred_class" })).toThrow("no column");
    expect(() => figure(shape, table, { ...choice, color: "accuracy_drop" })).toThrow("can't be colored");
    expect(() => figure(shape, table, { ...choice, objective: "cam" })).toThrow("no cam images");
  });
});

describe("a column's values", () => {
  it("are those of the objective, where there are several", () => {
    const { own_response: own, selectivity } = tableOf("block<1>").columns;
    if (!own || !selectivity) throw new Error("columns are missing");
    expect(valuesOf(own, "am")).not.toEqual(valuesOf(own, "iam"));
    expect(valuesOf(selectivity, "am")).toBe(valuesOf(selectivity, "iam"));
  });
});

describe("rank correlation", () => {
  it("is 1, -1, or what the ranks say", () => {
    expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 400]).rho).toBe(1);
    expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1]).rho).toBe(-1);
    expect(rankCorrelation([1, 2, 3, 4], [1, 3, 2, 4]).rho).toBeCloseTo(0.8, 12);
  });

  it("has an interval around it, and none where a column is constant or too short", () => {
    const x = Array.from({ length: 60 }, (_, at) => Math.sin(at * at));
    const { rho, low, high } = rankCorrelation(
      x,
      x.map((value, at) => value + Math.cos(7 * at)),
    );
    expect(low).toBeLessThan(rho);
    expect(high).toBeGreaterThan(rho);
    expect(rankCorrelation(x, x.fill(2)).rho).toBeNaN();
    expect(rankCorrelation([1, 2], [1, 2]).low).toBeNaN();
  });
});
