// Shared room: something that changes, and whoever wants to know of it.
// In: listeners, each with its own end. Out: they are args, until they or the thing itself end.
import { onEnd } from "./lifetime";

export class Observable<Args extends unknown[] = []> {
  #listeners = new Set<(...args: Args) => void>();

  constructor(until: AbortSignal) {
    onEnd(until, () => this.#listeners.clear());
  }

  subscribe(listener: (...args: Args) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onEnd(signal, () => this.#listeners.delete(listener));
  }

  protected notify(...args: Args): void {
    for (const listener of [...this.#listeners]) listener(...args);
  }
}
