// Tuning explorer: a random walk through all coordinates.
// In: the current coordinates and each row's range. Out: the next coordinates.

/** Standard deviation of a step, as a share of the row's range. */
const STRIDE = 0.12;
/** Milliseconds that a finished image stays before the next step. */
export const PAUSE = 700;

export interface Range {
  low: number;
  high: number;
}

/** One step: normally distributed in each row, reflected at the ends. */
export function randomStep(
  from: readonly number[],
  ranges: readonly Range[],
  random = Math.random,
): number[] {
  return ranges.map(({ low, high }, row) => {
    const span = high - low;
    if (!(span > 0)) return low;
    const step = STRIDE * span * normal(random);
    // Reflected: unfolded to twice the span, then folded back.
    const far = ((((from[row] ?? low) + step - low) % (2 * span)) + 2 * span) % (2 * span);
    return low + (far > span ? 2 * span - far : far);
  });
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
