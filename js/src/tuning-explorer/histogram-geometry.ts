// Tuning explorer: the shapes under a slider. The slider's points are evenly spaced, the data's coordinates are not: a rug
// marks each point's position on the histogram's axis, and a leader connects it to the slider's thumb.
// In: a dimension. Out: SVG path data in a box of WIDTH × HEIGHT.
import type { Dimension } from "./film";
import { coordinateAt } from "./slider-scale";

export const WIDTH = 1000;
/** Heights at which the leader meets the rug, the rug ends and the bars' area begins, and the bars stand. */
export const RUG = 9;
export const TOP = 13;
export const HEIGHT = 44;

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

export function xOf(axis: Axis, coordinate: number): number {
  return (WIDTH * (coordinate - axis.low)) / (axis.high - axis.low);
}

function at(dimension: Dimension, axis: Axis, point: number): string {
  return xOf(axis, coordinateAt(dimension.coordinate, point)).toFixed(1);
}

/** From the slider's thumb to the point's position on the axis, and down through the bars. */
export function leader(dimension: Dimension, axis: Axis, point: number): string {
  const thumb = (WIDTH * point) / Math.max(1, dimension.coordinate.length - 1);
  return `M${thumb.toFixed(1)} 0L${at(dimension, axis, point)} ${RUG}V${HEIGHT}`;
}

export function rug(dimension: Dimension, axis: Axis): string {
  return dimension.coordinate.map((_, point) => `M${at(dimension, axis, point)} ${RUG}V${TOP}`).join("");
}

/** Bars from the bottom up; a bin that holds anything is at least a hairline high. */
export function bars(dimension: Dimension, axis: Axis): string {
  const most = Math.max(...dimension.histogram, Number.MIN_VALUE);
  return dimension.histogram
    .map((count, bin) => {
      const left = dimension.edges[bin];
      const right = dimension.edges[bin + 1];
      if (count <= 0 || left === undefined || right === undefined) return "";
      const height = Math.max(0.6, ((HEIGHT - TOP) * count) / most);
      const [from, to] = [xOf(axis, left).toFixed(1), xOf(axis, right).toFixed(1)];
      return `M${from} ${HEIGHT}V${(HEIGHT - height).toFixed(1)}H${to}V${HEIGHT}Z`;
    })
    .join("");
}

/** A line through the bars at a coordinate; outside the axis, at its end. */
export function marker(axis: Axis, coordinate: number): string {
  return `M${Math.min(WIDTH, Math.max(0, xOf(axis, coordinate))).toFixed(1)} ${TOP}V${HEIGHT}`;
}

/** The mean of the data, from their histogram. */
export function middleOf(dimension: Dimension): number {
  let [sum, count] = [0, 0];
  dimension.histogram.forEach((held, bin) => {
    sum += (held * ((dimension.edges[bin] ?? 0) + (dimension.edges[bin + 1] ?? 0))) / 2;
    count += held;
  });
  return count > 0 ? sum / count : 0;
}
