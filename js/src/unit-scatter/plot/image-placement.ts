// Unit scatter, plot: which units' images fit into the plot. Each is centered on its unit's point. Where two would
// overlap, the first in order is shown, and the other stays a point; zooming in makes room for more.
// In: points in pixels, and the order. Out: units.
import type { ScreenPoint } from "../state/nearest-unit";

/** Pixels of an image with its frame, and of the gap between two. */
export const SIDE = 36;
export const FRAME = 2;
const GAP = 2;

export function placedImages(places: readonly ScreenPoint[], order: Iterable<number>): number[] {
  const step = SIDE + GAP;
  // A grid of squares of an image's size: an image can only overlap those centered in its own or a neighboring square.
  const taken = new Map<string, [x: number, y: number][]>();
  const units: number[] = [];
  for (const unit of order) {
    const place = places[unit];
    if (!place) continue;
    const [x, y] = place;
    const [column, row] = [Math.floor(x / step), Math.floor(y / step)];
    const near = [-1, 0, 1].flatMap((dx) =>
      [-1, 0, 1].flatMap((dy) => taken.get(`${column + dx} ${row + dy}`) ?? []),
    );
    if (near.some(([ox, oy]) => Math.abs(ox - x) < step && Math.abs(oy - y) < step)) continue;
    const square = `${column} ${row}`;
    taken.set(square, [...(taken.get(square) ?? []), [x, y]]);
    units.push(unit);
  }
  return units;
}

/** The unit whose image covers a point of the plot. */
export function imageAt(
  places: readonly ScreenPoint[],
  units: readonly number[],
  x: number,
  y: number,
): number | undefined {
  return units.find((unit) => {
    const place = places[unit];
    return place && Math.abs(place[0] - x) <= SIDE / 2 && Math.abs(place[1] - y) <= SIDE / 2;
  });
}
