// Tuning explorer: how much of the data lies nearest to each point of a film.
// In: a dimension. Out: shares of the data, one per point, and which of them are hardly any.
import { clamp, type Dimension } from "./film";

/** Hardly any: less than this share of what a point would have if the data lay evenly among all points. */
const HARDLY = 0.1;

/** One share per point, together 1; empty where nothing is known of the data. */
export function sharesOf({ histogram, edges, coordinate }: Dimension): number[] {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (!(total > 0) || coordinate.includes(null)) return [];
  const places = coordinate as number[];
  // Within a bin the data count as evenly spread.
  const below = (limit: number) =>
    histogram.reduce((sum, count, bin) => {
      const [left, right] = [edges[bin] ?? 0, edges[bin + 1] ?? 0];
      return sum + count * clamp((limit - left) / (right - left || Number.MIN_VALUE), 0, 1);
    }, 0) / total;
  const limits = places.slice(1).map((place, at) => below((place + (places[at] ?? 0)) / 2));
  return places.map((_, at) => (limits[at] ?? 1) - (limits[at - 1] ?? 0));
}

export function isHardlyAny(share: number | undefined, points: number): boolean {
  return share !== undefined && share < HARDLY / points;
}
