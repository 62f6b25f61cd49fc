// Unit scatter, data: which units table and gallery show, in which order, and which of them are on the screen.
// In: a layer, the order and the scroll position. Out: units, and the first and last row in view.
import { columnValue, countOf, type Layer } from "./units";

export interface Order {
  /** Empty: sorted by the units' numbers. */
  column: string;
  rising: boolean;
}

/** Units in order; those without a value come last in both directions, ties by number. */
export function ordered(layer: Layer, objective: string, { column, rising }: Order): number[] {
  if (column) return unitsBy(layer, (unit) => columnValue(layer, column, objective, unit), rising);
  const units = Array.from({ length: countOf(layer) }, (_, unit) => unit);
  return rising ? units : units.reverse();
}

/** All units by a value of each; those without one come last. */
export function unitsBy(layer: Layer, value: (unit: number) => number | null, rising: boolean): number[] {
  const units = Array.from({ length: countOf(layer) }, (_, unit) => unit);
  const values = units.map(value);
  const sign = rising ? 1 : -1;
  return units.sort((a, b) => {
    const [left, right] = [values[a] ?? null, values[b] ?? null];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a - b;
    return sign * (left - right) || a - b;
  });
}

export interface Window {
  first: number;
  last: number;
}

/** The rows in view, and a few more on either side so that scrolling shows no gap. */
export function windowed(count: number, scrolled: number, height: number, row: number, more = 8): Window {
  const first = Math.max(0, Math.floor(scrolled / row) - more);
  return { first, last: Math.min(count, Math.ceil((scrolled + height) / row) + more) };
}
