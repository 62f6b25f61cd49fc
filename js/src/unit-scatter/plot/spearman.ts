// Unit scatter, plot: Spearman's ρ and its bootstrap interval, exactly the numbers of tunewidgets/derived/statistics.py.
// In: two columns without gaps. Out: ρ and its 95% interval over resamples of the units, NaN where there is none.
//
// Both languages draw the same 32-bit integers, and ranks are doubled to stay whole: nothing is rounded before the last
// division.

const DRAWS = 1000;
const LEVEL = 0.95;

export interface Interval {
  rho: number;
  low: number;
  high: number;
}

export function rankCorrelation(x: number[], y: number[]): Interval {
  const n = x.length;
  if (n < 3) return { rho: Number.NaN, low: Number.NaN, high: Number.NaN };
  const pair = { x: levelsOf(x), y: levelsOf(y) };
  const rho = correlate(pair, new Float64Array(n).fill(1));
  const resampled = new Float64Array(DRAWS);
  let kept = 0;
  const counts = new Float64Array(n);
  for (let draw = 0; draw < DRAWS; draw++) {
    counts.fill(0);
    for (let unit = 0; unit < n; unit++) {
      const at = Math.floor((scrambled(draw * n + unit) * n) / 2 ** 32);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    const value = correlate(pair, counts);
    // A resample without variation has no ρ.
    if (!Number.isNaN(value)) resampled[kept++] = value;
  }
  const sorted = resampled.subarray(0, kept).sort();
  const out = Math.floor(((1 - LEVEL) / 2) * kept + 1e-9);
  return { rho, low: sorted[out] ?? Number.NaN, high: sorted[kept - 1 - out] ?? Number.NaN };
}

/** A good 32-bit hash (Wellons' lowbias32): neighboring numbers give independent-looking results. */
function scrambled(index: number): number {
  let number = index | 0;
  number = Math.imul(number ^ (number >>> 16), 0x7feb352d);
  number = Math.imul(number ^ (number >>> 15), 0x846ca68b);
  return (number ^ (number >>> 16)) >>> 0;
}

interface Levels {
  /** For each unit, the rank of its value among the column's distinct values, from the smallest. */
  of: Uint32Array;
  count: number;
}

function levelsOf(column: number[]): Levels {
  const distinct = Float64Array.from(new Set(column)).sort();
  const place = new Map(Array.from(distinct, (value, level) => [value, level]));
  return { of: Uint32Array.from(column, (value) => place.get(value) ?? 0), count: distinct.length };
}

/** Twice the mean rank of each level, with unit i counted `counts[i]` times. */
function doubledRanks(levels: Levels, counts: Float64Array): Float64Array {
  const there = new Float64Array(levels.count);
  levels.of.forEach((level, unit) => {
    there[level] = (there[level] ?? 0) + (counts[unit] ?? 0);
  });
  let before = 0;
  return there.map((count) => {
    const rank = 2 * before + count + 1;
    before += count;
    return rank;
  });
}

function correlate(pair: { x: Levels; y: Levels }, counts: Float64Array): number {
  const ranksOfX = doubledRanks(pair.x, counts);
  const ranksOfY = doubledRanks(pair.y, counts);
  let [together, ownX, ownY] = [0, 0, 0];
  for (let unit = 0; unit < counts.length; unit++) {
    const count = counts[unit] ?? 0;
    if (count === 0) continue;
    const a = ranksOfX[pair.x.of[unit] ?? 0] ?? 0;
    const b = ranksOfY[pair.y.of[unit] ?? 0] ?? 0;
    together += count * a * b;
    ownX += count * a * a;
    ownY += count * b * b;
  }
  const mean = counts.length * (counts.length + 1) ** 2;
  if (ownX <= mean || ownY <= mean) return Number.NaN;
  const rho = (together - mean) / Math.sqrt((ownX - mean) * (ownY - mean));
  return Math.min(1, Math.max(-1, rho));
}
