// Unit scatter, data: the numbers that Python sends about a layer's units, column by column.
// In: a table of columns, as in `_units`. Out: the values of one column under one objective.

export type Value = number | null;
export type Kind = "share" | "percent" | "number" | "count" | "class";

/** An axis that spreads a column's values (tunewidgets/derived/unit_axes.py). */
export interface Axis {
  /** On a root scale a value stands at its signed square root. */
  scale: "linear" | "log" | "root";
  /** The ends; in powers of ten, or in roots. */
  range: [low: number, high: number];
  /** Of a root scale: where each tick stands, and the value it has. */
  ticks: [place: number, text: string][];
  /** Whether it spreads the layer at all: nearly all units may have one value. */
  varied: boolean;
}

export interface Column {
  label: string;
  kind: Kind;
  /** One per objective where the column depends on it. */
  axis: Axis | Record<string, Axis>;
  /** One number per unit; one such list per objective where the column depends on it. */
  values: Value[] | Record<string, Value[]>;
}

/** What `table` in tunewidgets/derived/unit_columns.py makes of a layer. */
export interface UnitColumns {
  layer: string;
  unit: number[];
  objectives: string[];
  dead: number[];
  silent: Record<string, number[]>;
  failed: Record<string, number[]>;
  waiting: Record<string, number[]>;
  made: Record<string, string>;
  columns: Record<string, Column>;
}

/** A column's axis under an objective. */
export function axisOf(column: Column, objective: string): Axis {
  const axis = Array.isArray(column.values)
    ? (column.axis as Axis)
    : (column.axis as Record<string, Axis>)[objective];
  if (!axis) throw new Error(`there are no ${objective} images in this record`);
  return axis;
}

/** Where a value stands on an axis of plotly's: its signed root on a root scale, itself elsewhere. */
export function place(value: number, scale: Axis["scale"]): number {
  return scale === "root" ? Math.sign(value) * Math.sqrt(Math.abs(value)) : value;
}

/** A column's values under an objective, null where it means nothing for the unit. */
export function valuesOf(column: Column, objective: string): Value[] {
  if (Array.isArray(column.values)) return column.values;
  const values = column.values[objective];
  if (!values) throw new Error(`there are no ${objective} images in this record`);
  return values;
}
