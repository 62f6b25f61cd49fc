// Unit scatter, state: one view of a widget, with its keys.
// In: the widget's state and the view's root element. Out: the keyboard's cursor, the unit under the mouse, whether gallery
// and table are open and how they are ordered, the explanation that is shown, and the latency clock: what belongs to one
// view and not to the widget.

import type { KeyMap } from "../../shared/keyboard";
import { Clock } from "../../shared/latency";
import { Observable } from "../../shared/observable";
import { FIRST_CHOICE, type GalleryChoice } from "../data/gallery-units";
import { type Direction, middleUnit, nearestUnit, type ScreenPoint } from "./nearest-unit";
import type { Scatter } from "./scatter";
import { TipState } from "./tips";

/** A point under the mouse, or the keyboard's cursor. */
export interface Hint {
  unit: number;
  by: "mouse" | "keys";
}

let count = 0;

export class View extends Observable {
  /** Unique in the page: what the ids of its elements begin with. */
  readonly id = `tws-${count++}`;
  /** Each unit's point in pixels of the plot's element; the plot keeps them up to date. */
  places: readonly ScreenPoint[] = [];
  /** Units whose images are shown in the plot. */
  imageUnits: readonly number[] = [];
  hint: Hint | undefined;
  galleryOpen = true;
  gallery: GalleryChoice = FIRST_CHOICE;
  tableOpen = false;
  onlySelected = false;
  /** Whether the large image is the one that RS was measured on, instead of the one for the eye. */
  measured = false;
  sort: { column: string; rising: boolean } = { column: "", rising: true };
  readonly tips: TipState;
  readonly clock: Clock;

  constructor(
    readonly scatter: Scatter,
    readonly root: HTMLElement,
    readonly signal: AbortSignal,
  ) {
    super(signal);
    this.tips = new TipState(() => this.emit(), signal);
    this.clock = new Clock(scatter.takeBirth());
    const note = (event: Event) => {
      if (event.target instanceof Node) this.clock.note(event);
    };
    // On window: while a mouse button is down, plotly.js covers the page with an element outside this view.
    for (const kind of ["pointerup", "keydown"])
      window.addEventListener(kind, note, { capture: true, signal });
    scatter.subscribe((changed) => {
      if (changed.layer !== undefined) this.set({ hint: undefined });
    }, signal);
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
    const unit = start === undefined ? middleUnit(this.places) : nearestUnit(this.places, start, direction);
    if (unit !== null) this.set({ hint: { unit, by: "keys" } });
  }

  set(
    patch: Partial<
      Pick<
        View,
        "places" | "hint" | "galleryOpen" | "gallery" | "tableOpen" | "onlySelected" | "measured" | "sort"
      >
    >,
  ): void {
    Object.assign(this, patch);
    this.emit();
  }
}
