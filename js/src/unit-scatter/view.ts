// The scatter: one view of it. What belongs to one place on the screen and not to the widget: the keyboard's cursor,
// the unit under the mouse, whether the table is open, and the clock of what the reader did last.
import type { KeyMap } from "../shared/keyboard";
import { onEnd } from "../shared/lifetime";
import { measure } from "../shared/measure";
import { type Direction, middle, nearest, type Place } from "./moves";
import type { Scatter } from "./scatter";

/** A point under the mouse, or the keyboard's cursor. */
export interface Hint {
  unit: number;
  by: "mouse" | "keys";
}

export class View {
  /** Where each unit stands in the plot, in pixels of the plot's element; the plot keeps them right. */
  places: readonly Place[] = [];
  hint: Hint | undefined;
  tableOpen = false;
  onlySelected = false;
  sort: { column: string; rising: boolean } = { column: "", rising: true };
  #listeners = new Set<() => void>();
  #input: number | undefined;
  #opened: number | undefined;

  constructor(
    readonly scatter: Scatter,
    readonly root: HTMLElement,
    readonly signal: AbortSignal,
  ) {
    this.#opened = scatter.takeBirth() ?? performance.now();
    const note = (event: Event) => {
      if (event.target instanceof Node) this.#input = event.timeStamp;
    };
    // On window: while a mouse button is down, plotly.js covers the page with an element outside of this view.
    for (const kind of ["pointerup", "keydown"])
      window.addEventListener(kind, note, { capture: true, signal });
    scatter.subscribe((changed) => {
      if (changed.layer !== undefined) this.set({ hint: undefined });
    }, signal);
    onEnd(signal, () => this.#listeners.clear());
  }

  get keys(): KeyMap {
    return {
      ArrowLeft: () => this.#walk([-1, 0]),
      ArrowRight: () => this.#walk([1, 0]),
      ArrowUp: () => this.#walk([0, -1]),
      ArrowDown: () => this.#walk([0, 1]),
      Enter: () => {
        if (!this.hint) return;
        this.scatter.open(this.hint.unit);
        this.set({ hint: undefined });
      },
      p: () => {
        const { unit } = this.scatter.state;
        if (unit !== null) this.scatter.togglePin(unit);
      },
      Escape: () => (this.hint ? this.set({ hint: undefined }) : this.scatter.open(null)),
    };
  }

  #walk(direction: Direction): void {
    const from = this.hint?.unit ?? this.scatter.state.unit;
    const start = from !== null && this.places[from] ? from : undefined;
    const unit = start === undefined ? middle(this.places) : nearest(this.places, start, direction);
    if (unit !== null) this.set({ hint: { unit, by: "keys" } });
  }

  set(patch: Partial<Pick<View, "places" | "hint" | "tableOpen" | "onlySelected" | "sort">>): void {
    Object.assign(this, patch);
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onEnd(signal, () => this.#listeners.delete(listener));
  }

  /** The plot is drawn for the first time. */
  painted(): void {
    if (this.#opened !== undefined) measure("tunewidgets:first-paint", this.#opened);
    this.#opened = undefined;
  }

  /** The opened unit's image is on the canvas: tell the clock what it took since the reader's click or key. */
  drawn(): void {
    if (this.#input !== undefined) measure("tunewidgets:open", this.#input);
    this.#input = undefined;
  }
}
