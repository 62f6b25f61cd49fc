// Tuning explorer: what stands over a slider, on the slider's own scale: a bar per point, right over it, and the line that
// the slider's thumb moves along, dotted where hardly any data lies.
// In: shares of the data, one per point. Out: SVG path data in a box of WIDTH × HEIGHT, whose bottom is the line.

import { isHardlyAny } from "./data-near-points";
import type { Dimension } from "./film";

export const WIDTH = 1000;
export const HEIGHT = 30;
const TALLEST = 27;
/** The share of a bar's room that it fills. */
const FULL = 0.92;

export interface Axis {
  low: number;
  high: number;
}

/** The range of a dimension's coordinates, of its points and its data. */
export function axisOf(dimension: Dimension): Axis {
  const known = [...dimension.coordinate, ...dimension.edges].filter((x): x is number => x !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  return high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}

/** Where a place on the slider, counted in points, is in the box. */
export function xOf(place: number, points: number): number {
  return points > 1 ? (WIDTH * place) / (points - 1) : WIDTH / 2;
}

function halfRoom(points: number): number {
  return WIDTH / 2 / Math.max(1, points - 1);
}

/** A point's bar; a point that any data is nearest to has at least a hairline. */
export function bar(shares: readonly number[], point: number): string {
  const share = shares[point] ?? 0;
  if (!(share > 0)) return "";
  const height = Math.max(0.8, (TALLEST * share) / Math.max(...shares));
  const [x, half] = [xOf(point, shares.length), FULL * halfRoom(shares.length)];
  return `M${(x - half).toFixed(1)} ${HEIGHT}V${(HEIGHT - height).toFixed(1)}H${(x + half).toFixed(1)}V${HEIGHT}Z`;
}

export function bars(shares: readonly number[]): string {
  return shares.map((_, point) => bar(shares, point)).join("");
}

/** The line under the bars, in two parts: where data lie, and where hardly any do. */
export function line(shares: readonly number[], points: number): { held: string; few: string } {
  const parts = { held: "", few: "" };
  const kind = (point: number) => (isHardlyAny(shares[point], points) ? "few" : "held");
  for (let point = 0; point < points; ) {
    const from = point;
    while (point < points && kind(point) === kind(from)) point++;
    const left = xOf(from, points) - halfRoom(points);
    const right = xOf(point - 1, points) + halfRoom(points);
    parts[kind(from)] += `M${left.toFixed(1)} ${HEIGHT}H${right.toFixed(1)}`;
  }
  return parts;
}

/** A mark through the bars at a place on the slider. */
export function marker(place: number, points: number): string {
  return `M${xOf(place, points).toFixed(1)} 0V${HEIGHT}`;
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
