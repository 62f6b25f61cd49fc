// Shared: the synced traits as the page sees them.
// In: the widget model. Out: values that change at once for every view, and reach Python at a bounded rate.
//
// The page's own values live here, not in the model: a value that waits to be saved can then be dropped when
// Python sets the trait meanwhile, and the last writer wins on both sides.

import { onEnd } from "./lifetime";
import { Observable } from "./observable";

export interface TraitModel {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

/** Who changed the values: this page, or the other side (Python, another window). */
export type Origin = "page" | "kernel";

export class Traits<T extends object> extends Observable<[changed: Partial<T>, origin: Origin]> {
  #model: TraitModel;
  #values: T;
  #pending = new Set<keyof T & string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving = false;

  /** `interval`: at most one save in so many milliseconds; the first goes at once, the last always goes. */
  constructor(
    model: TraitModel,
    keys: readonly (keyof T & string)[],
    signal: AbortSignal,
    readonly interval = 100,
  ) {
    super(signal);
    this.#model = model;
    this.#values = Object.fromEntries(keys.map((key) => [key, model.get(key)])) as T;
    for (const key of keys) {
      const adopt = () => this.#adopt(key);
      model.on(`change:${key}`, adopt);
      onEnd(signal, () => model.off(`change:${key}`, adopt));
    }
    onEnd(signal, () => {
      clearTimeout(this.#timer);
      this.#save();
    });
  }

  get values(): Readonly<T> {
    return this.#values;
  }

  set(patch: Partial<T>): void {
    const changed = Object.fromEntries(
      Object.entries(patch).filter(([key, value]) => this.#values[key as keyof T] !== value),
    ) as Partial<T>;
    const keys = Object.keys(changed) as (keyof T & string)[];
    if (keys.length === 0) return;
    this.#values = { ...this.#values, ...changed };
    for (const key of keys) this.#pending.add(key);
    this.emit(changed, "page");
    if (this.#timer === undefined) this.#saveAndWait();
  }

  #saveAndWait(): void {
    this.#save();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size > 0) this.#saveAndWait();
    }, this.interval);
  }

  #save(): void {
    if (this.#pending.size === 0) return;
    this.#saving = true;
    for (const key of this.#pending) this.#model.set(key, this.#values[key]);
    this.#pending.clear();
    this.#saving = false;
    this.#model.save_changes();
  }

  #adopt(key: keyof T & string): void {
    if (this.#saving) return;
    this.#pending.delete(key);
    const value = this.#model.get(key) as T[typeof key];
    if (JSON.stringify(value) === JSON.stringify(this.#values[key])) return;
    this.#values = { ...this.#values, [key]: value };
    this.emit({ [key]: value } as unknown as Partial<T>, "kernel");
  }
}
