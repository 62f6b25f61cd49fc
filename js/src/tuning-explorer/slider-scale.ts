// The explorer: a slider between the film's points. In: a row's coordinates, one a point, rising. Out: the place on
// the slider of a coordinate, counted in points, and back.
import { clamp } from "./film";

export function coordinateAt(coordinates: readonly (number | null)[], place: number): number {
  const last = coordinates.length - 1;
  const at = clamp(place, 0, last);
  const below = Math.floor(at);
  const [low, high] = [coordinates[below] ?? 0, coordinates[Math.min(last, below + 1)] ?? 0];
  return low + (at - below) * (high - low);
}

export function sliderPosition(coordinates: readonly (number | null)[], coordinate: number): number {
  const last = coordinates.length - 1;
  for (let at = 1; at <= last; at++) {
    const [low, high] = [coordinates[at - 1] ?? 0, coordinates[at] ?? 0];
    if (coordinate <= high)
      return high > low ? clamp(at - 1 + (coordinate - low) / (high - low), 0, last) : at;
  }
  return last;
}

/** So many digits come back from Python as they were. */
export function rounded(coordinate: number): number {
  return Number(coordinate.toFixed(5));
}
