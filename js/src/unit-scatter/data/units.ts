// Unit scatter, data: everything that Python sends once (`_units`).
// In: layers and their units. Out: values, names and sentences about one unit.
import { decimal, percent } from "../../shared/format";
import type { Cells } from "../../shared/sprites";
import { type UnitColumns, type Value, valuesOf } from "./columns";
import type { Template } from "./figure-template";

/** Where a layer's images of one kind are: pages of units, `first` the index of page 0 in the list of sprites. */
export interface Sheet {
  cells: Cells;
  perUnit: number;
  unitsPerPage: number;
  first: number;
}

/** What one objective's images show about each unit. */
export interface Shown {
  /** Units without an image, and why. */
  missing: Record<string, string>;
  /** The status of units whose image is unusual: one flat color, or an image that excites nothing. */
  said: Record<string, string>;
  /** Units that have an image for the eye besides the one that RS was measured on, by its description. */
  display: Record<string, number[]>;
  /** Their responses to that image. */
  displayResponses: Record<string, Value>;
  /** The units that respond more strongly to a unit's own image, strongest first, and their response over its own. */
  exceeders: number[][];
  ratios: Value[][];
  /** The largest number of them that is listed. */
  listed: number;
  /** RS along the optimization, one list per unit; null where the record has none. */
  course: Course | null;
  /** The same for units whose image was made since, each with its own steps. */
  own?: Record<number, Course>;
}

/** RS and, where it is known, the unit's own activation at the steps where they were measured. */
export interface Course {
  steps: number[];
  rs: Value[][];
  own: Value[][] | null;
}

export interface Layer {
  notes: string[];
  classes: string[];
  /** `classes` null: a mean for every class in order; otherwise the classes to which the unit responds most. */
  means: { classes: number[][] | null; means: Value[][] } | null;
  worst: { classes: number[]; drops: Value[]; errors: Value[] | null } | null;
  /** Standard errors of the units' accuracy drops. */
  dropErrors: Value[] | null;
  shown: Record<string, Shown>;
  exemplars: { images: number[][]; activations: Value[][] | null } | null;
  table: UnitColumns;
  sheets: Record<string, Sheet>;
}

export interface Units {
  model: string;
  template: Template;
  layers: Layer[];
}

export function objectiveName(objective: string): string {
  return objective.toUpperCase();
}

/** Whether the layer has images under some objective. */
export function hasImages(layer: Layer): boolean {
  return layer.table.objectives.some((objective) => layer.sheets[objective]);
}

/** The other objective's name, where the layer has two. */
export function otherObjective(layer: Layer, objective: string): string | undefined {
  return layer.table.objectives.find((name) => name !== objective);
}

export function countOf(layer: Layer): number {
  return layer.table.unit.length;
}

export function columnValue(layer: Layer, name: string, objective: string, unit: number): Value {
  const column = layer.table.columns[name];
  return column ? (valuesOf(column, objective)[unit] ?? null) : null;
}

/** The objectives under which a unit's image was not made yet. */
export function waitsFor({ table }: Layer, unit: number): string[] {
  return table.objectives.filter((objective) => table.waiting[objective]?.includes(unit));
}

/** All units with an image that was not made yet. */
export function waitingUnits({ table }: Layer): Set<number> {
  return new Set(table.objectives.flatMap((objective) => table.waiting[objective] ?? []));
}

export interface Line {
  steps: number[];
  values: number[];
}

/** A unit's RS, or its own activation, along the optimization: only where it was measured. */
export function lineOf(layer: Layer, objective: string, unit: number, what: "rs" | "own"): Line {
  const shown = layer.shown[objective];
  const own = shown?.own?.[unit];
  const course = own ?? shown?.course;
  const row = course?.[what]?.[own ? 0 : unit] ?? [];
  const line: Line = { steps: [], values: [] };
  row.forEach((value, at) => {
    if (value === null) return;
    line.steps.push(course?.steps[at] ?? 0);
    line.values.push(value);
  });
  return line;
}

/** A value as text: classes by name, counts whole, shares to hundredths, the rest to three digits. */
export function valueText(layer: Layer, name: string, objective: string, unit: number): string {
  const value = columnValue(layer, name, objective, unit);
  const kind = layer.table.columns[name]?.kind;
  if (value === null) return "–";
  if (kind === "class") return className(layer, value);
  if (kind === "count") return String(value);
  if (kind === "percent") return drop(value);
  return kind === "share" ? decimal(value, value > 0 && value < 0.1 ? 3 : 2) : number(value);
}

export function className(layer: Layer, index: number): string {
  return layer.classes[index] ?? `class ${index}`;
}

/** Three significant digits, at most four decimals, with a true minus sign. */
export function number(value: Value): string {
  if (value === null) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-4) return value.toExponential(1).replaceAll("-", "−");
  const digits = Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return decimal(value, digits);
}

export function drop(value: Value): string {
  if (value === null) return "–";
  const text = percent(Math.abs(value));
  return value < 0 && Number.parseFloat(text) > 0 ? `−${text}` : text;
}

/** A drop with its standard error; one that lies within it is not told apart from none. */
export function measuredDrop(value: Value, error: Value | undefined): string {
  if (value === null || error === null || error === undefined) return drop(value);
  return Math.abs(value) <= error
    ? `none measurable (±${percent(error)})`
    : `${drop(value)} ± ${percent(error)}`;
}

export interface Bar {
  name: string;
  mean: number;
}

/** A unit's mean activation by class, as bars. */
export function classBars(layer: Layer, unit: number): Bar[] {
  const means = layer.means?.means[unit] ?? [];
  return means.map((mean, at) => {
    const index = layer.means?.classes?.[unit]?.[at] ?? at;
    return { name: className(layer, index), mean: mean ?? 0 };
  });
}

/** A sentence about the units that respond more strongly to a unit's own image. */
export function exceedingSentence(layer: Layer, objective: string, unit: number): string {
  const rs = columnValue(layer, "rs", objective, unit);
  if (rs === null) return "";
  const count = Math.round(rs * countOf(layer));
  const alike = columnValue(layer, "substitutes", objective, unit) ?? 0;
  const copies =
    alike > 0 ? ` Yet ${alike} ${alike === 1 ? "responds" : "respond"} alike and could stand in for it.` : "";
  if (rs === 0) return `No other unit responds more strongly to it, so by RS none could replace it.${copies}`;
  const listed = layer.shown[objective]?.exceeders[unit]?.length ?? 0;
  const who = `${count} of ${countOf(layer)} units ${count === 1 ? "responds" : "respond"} more strongly`;
  return listed < count ? `${who}; the strongest ${listed}:` : `${who}:`;
}
