// Small layers as Python sends them, for the tests of the scatter.

import type { Axis } from "../../src/unit-scatter/data/columns";
import type { Template } from "../../src/unit-scatter/data/figure-template";
import type { Layer, Units } from "../../src/unit-scatter/data/units";
import { FakeModel } from "../fake-model";

export const AXIS: Axis = { scale: "linear", range: [0, 1], ticks: [], varied: true };

export function layer(name: string, selectivity: (number | null)[], rs: (number | null)[]): Layer {
  const all = selectivity.map((_, unit) => unit);
  const column = { kind: "share", axis: AXIS } as const;
  return {
    notes: [],
    classes: ["cat", "dog"],
    means: { classes: null, means: all.map((unit) => [unit, 1]) },
    worst: { classes: all.map(() => 1), drops: all.map(() => 0.25), errors: all.map(() => 0.1) },
    dropErrors: null,
    shown: Object.fromEntries(
      ["am", "iam"].map((objective) => [
        objective,
        {
          missing: {},
          said: {},
          display: {},
          displayResponses: {},
          exceeders: all.map((unit) => (unit === 0 ? [2, 1] : [])),
          ratios: all.map(() => [2.5, 1.25]),
          listed: 9,
          course: null,
        },
      ]),
    ),
    exemplars: null,
    sheets: Object.fromEntries(
      ["am", "iam"].map((kind, first) => [
        kind,
        { cells: { width: 8, height: 8, columns: 2 }, perUnit: 1, unitsPerPage: 4, first },
      ]),
    ),
    table: {
      layer: name,
      unit: all,
      objectives: ["am", "iam"],
      dead: [],
      silent: {},
      failed: {},
      waiting: {},
      made: { am: "AM images", iam: "IAM images" },
      columns: {
        selectivity: { ...column, label: "class selectivity", values: selectivity },
        rs: {
          ...column,
          axis: { am: AXIS, iam: AXIS },
          label: "RS",
          values: { am: [...rs].reverse(), iam: rs },
        },
        preferred_class: {
          ...column,
          kind: "class",
          label: "preferred class",
          values: all.map((u) => u % 2),
        },
      },
    },
  };
}

export const TEMPLATE: Template = {
  traces: Object.fromEntries(
    ["none", "preferred_class"].map((color) => [
      color,
      [
        {
          meta: { x: "", y: "" },
          hovertemplate: "",
          marker: { color: "#0072B2" },
          name: "units",
          showlegend: false,
        },
      ],
    ]),
  ),
  layout: { title: { text: "", subtitle: { text: "" } }, xaxis: {}, yaxis: {}, legend: {} },
  hover: {},
  ticks: {},
  objectives: { am: "AM", iam: "IAM" },
};

export function scatterModel(given?: Partial<Units>, state: Record<string, unknown> = {}): FakeModel {
  const units: Units = {
    model: "shallow_cnn",
    template: TEMPLATE,
    layers: [
      layer("conv1", [0.1, 0.5, 0.9, null], [0.5, 0.25, 0, null]),
      layer("conv2", [0.2, 0.4], [0, 0.5]),
    ],
    ...given,
  };
  return new FakeModel({
    _units: units,
    _sprites: [4, 4].map((bytes) => new DataView(new ArrayBuffer(bytes))),
    layer: units.layers[0]?.table.layer,
    objective: "iam",
    unit: null,
    pinned: null,
    selected: [],
    x: "selectivity",
    y: "rs",
    color: "preferred_class",
    images: false,
    ...state,
  });
}
