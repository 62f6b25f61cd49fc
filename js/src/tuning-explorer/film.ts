// The explorer: what Python sends once (`_film`), and the pure questions one can ask of it.
import type { Cells } from "../shared/sprites";

export interface Dimension {
  /** Its place in the record, from 0. */
  index: number;
  suggestion: string;
  /** Empty, or why this dimension can't be shown. */
  status: string;
  /** Share of the variance; null where the method has none. */
  share: number | null;
  coordinate: (number | null)[];
  quantile: (number | null)[];
  cosine: (number | null)[];
  histogram: number[];
  edges: number[];
  /** For each point, the units that weigh most in its target, heaviest first. */
  units: number[][];
  weights: number[][];
}

export interface Film {
  model: string;
  layer: string;
  method: string;
  sampling: string;
  warnings: string[];
  points: number;
  cells: Cells;
  dimensions: Dimension[];
}

export function dimensionName(dimension: Dimension): string {
  return `dimension ${dimension.index}`;
}

/** The reader's label, else the record's suggestion, else the dimension's number. */
export function titleOf(dimension: Dimension, label: string): string {
  return label.trim() || dimension.suggestion || dimensionName(dimension);
}

/** The three points whose images stand at a row's end. */
export function landmarks(points: number): number[] {
  return [...new Set([0, Math.floor((points - 1) / 2), points - 1])];
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
