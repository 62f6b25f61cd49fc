// Shared: something that changes, and the listeners that want to know.
// In: listeners, each with its own lifetime. Out: calls to them, until they or the observable itself end.
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

  protected emit(...args: Args): void {
    for (const listener of [...this.#listeners]) listener(...args);
  }
}
