// Tuning explorer: one view of a widget, with its keys.
// In: the widget's state and the view's root element. Out: keyboard actions, focus, scrolling, and the latency clock: what
// belongs to one view and not to the widget.

import type { KeyMap } from "../shared/keyboard";
import { Clock } from "../shared/latency";
import type { Explorer } from "./explorer";
import { clamp } from "./film";

export class View {
  readonly clock: Clock;

  constructor(
    readonly explorer: Explorer,
    readonly root: HTMLElement,
    readonly signal: AbortSignal,
  ) {
    this.clock = new Clock(explorer.takeBirth());
    const note = (event: Event) => this.clock.note(event);
    for (const kind of ["input", "keydown"]) root.addEventListener(kind, note, { capture: true, signal });
  }

  get keys(): KeyMap {
    const { explorer } = this;
    return {
      ArrowUp: () => this.#walk(-1),
      ArrowDown: () => this.#walk(1),
      ArrowLeft: () => explorer.step(-1),
      ArrowRight: () => explorer.step(1),
      Home: () => explorer.move(explorer.state.dimension, 0),
      End: () => explorer.move(explorer.state.dimension, explorer.film.points - 1),
      " ": () => explorer.togglePlaying(),
      j: () => this.#walk(1),
      k: () => this.#walk(-1),
      y: () => this.#decide(true),
      n: () => this.#decide(false),
      l: () => this.#focusLabel(),
    };
  }

  /** On to the next row, so that many are gone through by one key each. */
  #decide(accepted: boolean): void {
    const { dimension } = this.explorer.state;
    if (!this.explorer.waits(dimension)) return;
    this.explorer.decide(dimension, accepted);
    this.#walk(1);
  }

  #focusLabel(): void {
    const label = this.row(this.explorer.state.dimension)?.querySelector<HTMLInputElement>(".twe-label");
    label?.focus({ preventScroll: true });
    label?.select();
  }

  #walk(by: number): void {
    const to = clamp(this.explorer.state.dimension + by, 0, this.explorer.film.dimensions.length - 1);
    this.explorer.select(to);
    this.focusRow(to);
  }

  row(dimension: number): HTMLElement | undefined {
    return this.root.querySelectorAll<HTMLElement>(".twe-row")[dimension];
  }

  /** Focus goes to the row's slider, or to the row itself where the slider can't move. */
  focusRow(dimension: number): void {
    const row = this.row(dimension);
    const slider = row?.querySelector<HTMLElement>("input[type=range]:not([disabled])");
    (slider ?? row)?.focus({ preventScroll: true });
  }

  /** Scrolls the list, never the notebook around it. */
  revealRow(dimension: number): void {
    const row = this.row(dimension);
    const list = row?.parentElement;
    if (!row || !list) return;
    const above = row.offsetTop - list.scrollTop;
    const below = above + row.offsetHeight - list.clientHeight;
    if (above < 0) list.scrollTop += above;
    else if (below > 0) list.scrollTop += below;
  }

  /** Scrolls the list on by about what it shows, or back to its first row. */
  turnRows(on: boolean): void {
    const list = this.root.querySelector<HTMLElement>(".twe-rows");
    list?.scrollTo({ top: on ? list.scrollTop + 0.8 * list.clientHeight : 0 });
  }

  /** The image is on the canvas. */
  drawn(): void {
    this.clock.shown("draw");
    this.clock.painted();
  }
}
