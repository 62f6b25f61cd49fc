// Unit scatter, state: where an arrow key leads. The nearest point in its direction, as the reader sees it: in pixels.
// In: every unit's point on the screen, null where it is not drawn. Out: a unit, or the same one where there is no other.

export type ScreenPoint = readonly [x: number, y: number] | null;
export type Direction = readonly [x: 1 | 0 | -1, y: 1 | 0 | -1];

/** Closer than this, two points look like one. */
const SAME = 0.5;

export function nearestUnit(places: readonly ScreenPoint[], from: number, [dx, dy]: Direction): number {
  const here = places[from];
  if (!here) return from;
  const onward = dx + dy > 0;
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  places.forEach((place, unit) => {
    if (!place || unit === from) return;
    const [x, y] = [place[0] - here[0], place[1] - here[1]];
    const along = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    let cost = Number.POSITIVE_INFINITY;
    // Points on one spot are visited one after another, by number, before the next spot.
    if (Math.abs(x) <= SAME && Math.abs(y) <= SAME) {
      if (unit > from === onward) cost = Math.abs(unit - from) * 1e-9;
    } else if (along > SAME) {
      // Points within 45° of the direction come before all others.
      cost = Math.hypot(along, aside) + (aside > along ? 1e6 : 0);
    }
    if (cost < least) [best, least] = [unit, cost];
  });
  return best;
}

/** The unit where the first arrow key begins: the one nearest the center of all points. */
export function middleUnit(places: readonly ScreenPoint[]): number | null {
  const there = places.flatMap((place, unit) => (place ? [{ unit, place }] : []));
  if (there.length === 0) return null;
  const [x, y] = [0, 1].map(
    (axis) => there.reduce((sum, { place }) => sum + (place[axis] ?? 0), 0) / there.length,
  );
  const away = ({ place }: { place: readonly [number, number] }) =>
    Math.hypot(place[0] - (x ?? 0), place[1] - (y ?? 0));
  return there.reduce((best, one) => (away(one) < away(best) ? one : best)).unit;
}
