// Unit scatter, data: what Python reports about a unit whose image was made is merged into its layer.
// In: the layer, as in `_units`, and the news. Out: the same layer, changed in place, so that every view, and whatever the
// host saves of the widget, has it.
import type { Axis, UnitColumns, Value } from "./columns";
import type { Course, Layer } from "./units";

/** What `grown_facts` in tunewidgets/widgets/unit_page.py sends. */
export interface Grown {
  values: Record<string, Value>;
  /** The axes that have changed, by column and objective. */
  axes: Record<string, Record<string, Axis>>;
  silent: boolean;
  missing: string | null;
  said: string | null;
  /** The description of its separate image for the eye; empty where it has none. */
  display: string;
  displayResponse: Value;
  exceeders: number[];
  ratios: Value[];
  course: Course | null;
}

/** What changes about a layer as a whole once its last image has arrived. */
export interface Whole {
  table: UnitColumns;
  notes: string[];
}

export function grow(layer: Layer, objective: string, unit: number, grown: Grown): void {
  const { table } = layer;
  for (const [name, value] of Object.entries(grown.values)) {
    const column = table.columns[name];
    const values = column && !Array.isArray(column.values) ? column.values[objective] : undefined;
    if (values) values[unit] = value;
  }
  for (const [name, axis] of Object.entries(grown.axes)) {
    const column = table.columns[name];
    if (column) column.axis = axis;
  }
  flag(table.waiting, objective, unit, false);
  flag(table.silent, objective, unit, grown.silent);
  flag(table.failed, objective, unit, grown.missing !== null);
  const shown = layer.shown[objective];
  if (!shown) return;
  if (grown.missing === null) delete shown.missing[unit];
  else shown.missing[unit] = grown.missing;
  if (grown.said === null) delete shown.said[unit];
  else shown.said[unit] = grown.said;
  if (grown.display) shown.display[grown.display] ??= [];
  for (const name of Object.keys(shown.display)) flag(shown.display, name, unit, name === grown.display);
  shown.displayResponses[unit] = grown.displayResponse;
  shown.exceeders[unit] = grown.exceeders;
  shown.ratios[unit] = grown.ratios;
  if (grown.course) {
    shown.own ??= {};
    shown.own[unit] = grown.course;
  }
}

export function complete(layer: Layer, { table, notes }: Whole): void {
  layer.table = table;
  layer.notes = notes;
}

function flag(lists: Record<string, number[]>, objective: string, unit: number, is: boolean): void {
  const rest = (lists[objective] ?? []).filter((one) => one !== unit);
  lists[objective] = is ? [...rest, unit].sort((a, b) => a - b) : rest;
}
