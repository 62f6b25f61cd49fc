// Shared room: the page's own clock.
// In: when something began. Out: a PerformanceObserver anywhere sees an entry of the given name.

/** Each entry is cleared again at once, so that hours of scrubbing leave nothing behind; observers still get it. */
export function measure(name: string, start: number): void {
  performance.measure(name, { start, end: performance.now() });
  performance.clearMeasures(name);
}
