// Shared: one entry on the browser's performance timeline.
// In: a name, and when something began. Out: a PerformanceObserver anywhere sees the entry.

/** Each entry is cleared again at once, so that hours of scrubbing leave nothing behind; observers still get it. */
export function measure(name: string, start: number): void {
  performance.measure(name, { start, end: performance.now() });
  performance.clearMeasures(name);
}
