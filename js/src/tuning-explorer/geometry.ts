// The explorer: where things stand under a slider. The slider's points are evenly spaced, the data's coordinates are
// not: a comb of lines leads from each point to its place on the histogram's axis.
// In: a dimension. Out: SVG path data in a box of WIDTH × HEIGHT.
import type { Dimension } from "./film";

export const WIDTH = 1000;
export const COMB = 10;
export const HEIGHT = 40;

export interface Axis {
  low: number;
  high: number;
}

export function axisOf(dimension: Dimension): Axis {
  const known = [...dimension.coordinate, ...dimension.edges].filter((x): x is number => x !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  return high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}

export function place(axis: Axis, coordinate: number): number {
  return (WIDTH * (coordinate - axis.low)) / (axis.high - axis.low);
}

/** The tooth of one point: from its place on the slider down to its place on the axis. */
export function tooth(dimension: Dimension, axis: Axis, point: number): string {
  const coordinate = dimension.coordinate[point] ?? axis.low;
  const top = (WIDTH * point) / Math.max(1, dimension.coordinate.length - 1);
  return `M${top.toFixed(1)} 0L${place(axis, coordinate).toFixed(1)} ${COMB}`;
}

export function comb(dimension: Dimension, axis: Axis): string {
  return dimension.coordinate.map((_, point) => tooth(dimension, axis, point)).join("");
}

/** Bars that stand on the bottom; a bin that holds anything is at least a hair high. */
export function bars(dimension: Dimension, axis: Axis): string {
  const most = Math.max(...dimension.histogram, Number.MIN_VALUE);
  return dimension.histogram
    .map((count, bin) => {
      const left = dimension.edges[bin];
      const right = dimension.edges[bin + 1];
      if (count <= 0 || left === undefined || right === undefined) return "";
      const height = Math.max(0.6, ((HEIGHT - COMB) * count) / most);
      const [from, to] = [place(axis, left).toFixed(1), place(axis, right).toFixed(1)];
      return `M${from} ${HEIGHT}V${(HEIGHT - height).toFixed(1)}H${to}V${HEIGHT}Z`;
    })
    .join("");
}
