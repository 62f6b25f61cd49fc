// Shared: how long a reader waits, measured on the page's own clock.
// In: when a widget's state arrived, and what the reader does. Out: measures that a PerformanceObserver sees.
import { measure } from "./measure";

/** When the state arrived, for its first view; a later one begins when it opens. */
export function birth(): () => number {
  let born: number | undefined = performance.now();
  return () => {
    const at = born ?? performance.now();
    born = undefined;
    return at;
  };
}

export class Clock {
  #opened: number | undefined;
  #input: number | undefined;

  constructor(opened: number) {
    this.#opened = opened;
  }

  /** The reader has done something. */
  note(event: Event): void {
    this.#input = event.timeStamp;
  }

  /** The view is drawn for the first time. */
  painted(): void {
    if (this.#opened !== undefined) measure("tunewidgets:first-paint", this.#opened);
    this.#opened = undefined;
  }

  /** What the reader asked for is on the screen; `name` says what it was. */
  shown(name: string): void {
    if (this.#input !== undefined) measure(`tunewidgets:${name}`, this.#input);
    this.#input = undefined;
  }
}
