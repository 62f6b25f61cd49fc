// Recovery checklist: null distributions and readout curves.
// In: the bytes that Python sends. Out: numbers.
import type { Report } from "./report";

const COMPONENTS = 3;
const BINS = 32;

export interface Null {
  low: number;
  high: number;
  counts: number[];
}

export type Curve = (number | null)[][];

function floats(view: DataView | undefined, first: number, count: number): number[] {
  if (!view || view.byteLength < 4 * (first + count)) return [];
  return Array.from({ length: count }, (_, at) => view.getFloat32(4 * (first + at), true));
}

/** The null of a cell: 0 for permuted labels, 1 for rotations. Undefined where there is none. */
export function nullOf(nulls: DataView | undefined, at: number, which: 0 | 1): Null | undefined {
  const [low = Number.NaN, high = Number.NaN, ...counts] = floats(
    nulls,
    (2 * at + which) * (BINS + 2),
    BINS + 2,
  );
  return Number.isFinite(low) && Number.isFinite(high) ? { low, high, counts } : undefined;
}

/** The readout of a cell: its components, one value per point each; those that the attribute lacks are left out. */
export function curveOf(curves: DataView | undefined, report: Report, at: number): Curve {
  const { points } = report;
  const values = floats(curves, at * points * COMPONENTS, points * COMPONENTS);
  return Array.from({ length: COMPONENTS }, (_, component) =>
    Array.from({ length: points }, (_, point) => {
      const value = values[point * COMPONENTS + component];
      return value !== undefined && Number.isFinite(value) ? value : null;
    }),
  ).filter((line) => line.some((value) => value !== null));
}
