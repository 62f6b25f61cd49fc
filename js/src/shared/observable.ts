// Shared room: something that changes, and whoever wants to know of it.
// In: listeners, each with its own end. Out: they are told, until they or the thing itself end.
import { onEnd } from "./lifetime";

export class Changing<Told extends unknown[] = []> {
  #listeners = new Set<(...told: Told) => void>();

  constructor(until: AbortSignal) {
    onEnd(until, () => this.#listeners.clear());
  }

  subscribe(listener: (...told: Told) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onEnd(signal, () => this.#listeners.delete(listener));
  }

  protected tell(...told: Told): void {
    for (const listener of [...this.#listeners]) listener(...told);
  }
}
