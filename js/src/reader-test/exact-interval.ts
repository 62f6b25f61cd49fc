// Reader test: Clopper and Pearson's exact interval of a share.
// In: how many of how many. Out: the ends of the 95% interval.

const TAIL = 0.025;
const HALVINGS = 50;

/** The chance of at least `right` of `asked` where each has the chance `p`. */
export function atLeast(right: number, asked: number, p: number): number {
  let sum = 0;
  let term = 0; // the logarithm of the binomial coefficient
  for (let k = 0; k <= asked; k++) {
    if (k > 0) term += Math.log((asked - k + 1) / k);
    if (k < right) continue;
    const one = k === 0 ? 1 : p ** k;
    const other = k === asked ? 1 : (1 - p) ** (asked - k);
    sum += Math.exp(term) * one * other;
  }
  return sum;
}

export function exactInterval(right: number, asked: number): [low: number, high: number] {
  const low = right === 0 ? 0 : solve((p) => atLeast(right, asked, p) < TAIL);
  const high = right === asked ? 1 : solve((p) => 1 - atLeast(right + 1, asked, p) > TAIL);
  return [low, high];
}

/** Where `below` ends being true, between 0 and 1. */
function solve(below: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
