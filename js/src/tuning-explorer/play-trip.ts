// Tuning explorer: playing a film is one round trip through its points: to the last, back to the first, and home again.
// In: where the slider was. Out: one step at a time, then undefined.

export interface Trip {
  home: number;
  at: number;
  direction: 1 | -1;
  turns: number;
}

export function begin(at: number): Trip {
  return { home: at, at, direction: 1, turns: 0 };
}

/** The trip one step later; undefined when it is home again. */
export function next(trip: Trip, points: number): Trip | undefined {
  let { direction, turns } = trip;
  if (direction === -1 && trip.at <= 0) {
    direction = 1;
    turns = 2;
  }
  if (points < 2 || (turns === 2 && trip.at >= trip.home)) return undefined;
  if (direction === 1 && trip.at >= points - 1) {
    direction = -1;
    turns = 1;
  }
  return { home: trip.home, at: trip.at + direction, direction, turns };
}
