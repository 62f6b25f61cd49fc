// Tuning explorer: the film that Python sends once (`_film`).
// In: its dimensions and points. Out: names, landmarks and the nearest point.
import type { Cells } from "../shared/sprites";

/** How often an observer told which of two real patches lies further; `p` (Holm's) and `chance` are of random axes. */
export interface Readability {
  score: number;
  low: number;
  high: number;
  p: number;
  chance: number;
}

export interface Dimension {
  /** Its index in the record, from 0. */
  index: number;
  suggestion: string;
  /** Empty, or why this dimension can't be shown. */
  status: string;
  /** Share of the variance; null where the method has none. */
  share: number | null;
  /** Null where it was not tested. */
  readability: Readability | null;
  coordinate: (number | null)[];
  quantile: (number | null)[];
  cosine: (number | null)[];
  histogram: number[];
  edges: number[];
  /** For each point, the units that weigh most in its target, heaviest first. */
  units: number[][];
  weights: number[][];
  /** For each point, the coordinates of its real patches, nearest in direction first; null where there is none. */
  patchCoordinate: (number | null)[][];
  /** How well it comes back when it is fitted again, from 0 to 1; null where that is not known. */
  stability: number | null;
  /** Null where they were not measured. */
  effects: Effects | null;
}

/** What the network does without a dimension, and with more of it. */
export interface Effects {
  /** By how much the loss rises without it, its standard error, and how often a random direction does as much. */
  loss: number;
  lossError: number | null;
  p: number | null;
  /** The classes that change most, rising ones first, with the change of their score at each point. */
  classes: { name: string; change: number[] }[];
}

/** Real patches: `each` per point, point after point. */
export interface PatchFacts {
  each: number;
  of: string;
  cells: Cells;
}

export interface Film {
  model: string;
  layer: string;
  method: string;
  sampling: string;
  warnings: string[];
  points: number;
  /** How many units the layer has. */
  unitCount: number;
  cells: Cells;
  /** Null where the record has none. */
  patches: PatchFacts | null;
  dimensions: Dimension[];
}

export function dimensionName(dimension: Dimension): string {
  return `dimension ${dimension.index}`;
}

/** What is suggested, and how well it is supported: "orange/blue" and "p = .035". */
export function suggestionOf(dimension: Dimension): { name: string; strength: string } {
  const [, name = "", strength = ""] = /^(.*?)(?:, (p [=<] .*))?$/s.exec(dimension.suggestion) ?? [];
  return { name, strength };
}

const LANDMARKS = 7;

/** The points whose images stand in a row: all of a few, otherwise seven from the first to the last. */
export function landmarks(points: number): number[] {
  const last = points - 1;
  const count = Math.min(points, LANDMARKS);
  return Array.from({ length: count }, (_, at) => Math.round((last * at) / Math.max(1, count - 1)));
}

/** The dimensions of which a unit is among the heaviest at any point, with its heaviest point, heaviest first. */
export function dimensionsOfUnit(film: Film, unit: number): { at: number; point: number }[] {
  return film.dimensions
    .map(({ status, units, weights }, at) => {
      const own = units.map((heaviest, point) => weights[point]?.[heaviest.indexOf(unit)] ?? 0);
      const weight = status ? 0 : Math.max(0, ...own);
      return { at, point: own.indexOf(weight), weight };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** The index of the value nearest to `wanted`. */
export function nearestIndex(values: readonly (number | null)[], wanted: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  values.forEach((value, at) => {
    const distance = value === null ? Number.POSITIVE_INFINITY : Math.abs(value - wanted);
    if (distance < least) [best, least] = [at, distance];
  });
  return best;
}
