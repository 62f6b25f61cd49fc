// Tuning explorer: a slider's scale between the film's points.
// In: a row's coordinates, one per point, rising. Out: the slider's position for a coordinate, counted in points, and back.
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

/** Rounded so that the value comes back from Python unchanged. */
export function rounded(coordinate: number): number {
  return Number(coordinate.toFixed(5));
}
