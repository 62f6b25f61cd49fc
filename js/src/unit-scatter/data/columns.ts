// Unit scatter, data: the numbers that Python sends about a layer's units, column by column.
// In: a table of columns, as in `_units`. Out: the values of one column under one objective.

export type Value = number | null;
export type Kind = "share" | "percent" | "number" | "count" | "class";

export interface Column {
  label: string;
  kind: Kind;
  log: boolean;
  /** The ends of an axis; in powers of ten where `log`. */
  range: [number, number];
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

/** A column's values under an objective, null where it means nothing for the unit. */
export function valuesOf(column: Column, objective: string): Value[] {
  if (Array.isArray(column.values)) return column.values;
  const values = column.values[objective];
  if (!values) throw new Error(`there are no ${objective} images in this record`);
  return values;
}
