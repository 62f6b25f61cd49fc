// Recovery checklist: one view of a widget, with its keys.
// In: the widget's state and the view's root element. Out: the keyboard's cell, whether cells show numbers, and the latency
// clock: what belongs to one view and not to the widget.

import type { KeyMap } from "../shared/keyboard";
import { Clock } from "../shared/latency";
import { Observable } from "../shared/observable";
import type { Checklist } from "./checklist";

export class View extends Observable {
  /** The cell that Tab reaches and arrows move. */
  at = 0;
  numbers = false;
  readonly clock: Clock;

  constructor(
    readonly checklist: Checklist,
    readonly root: HTMLElement,
    readonly signal: AbortSignal,
  ) {
    super(signal);
    this.clock = new Clock(checklist.takeBirth());
    const note = (event: Event) => this.clock.note(event);
    for (const kind of ["click", "keydown"]) root.addEventListener(kind, note, { capture: true, signal });
    this.#follow();
    checklist.subscribe((changed) => {
      if (changed.opened !== undefined) this.#follow();
    }, signal);
  }

  /** The keyboard's cell follows the opened one, whoever opened it. */
  #follow(): void {
    const at = this.checklist.cells.findIndex((cell) => cell.key === this.checklist.state.opened);
    if (at >= 0) this.at = at;
  }

  get keys(): KeyMap {
    const { columns } = this.checklist.report;
    const verdict = (text: string) => () => {
      const cell = this.checklist.cells[this.at];
      if (cell) this.checklist.judge(cell.key, text);
    };
    return {
      ArrowLeft: () => this.#walk(-1, this.at % columns.length > 0),
      ArrowRight: () => this.#walk(1, this.at % columns.length < columns.length - 1),
      ArrowUp: () => this.#walk(-columns.length, true),
      ArrowDown: () => this.#walk(columns.length, true),
      y: verdict("yes"),
      n: verdict("no"),
      u: verdict("unsure"),
      Escape: () => {
        this.checklist.open("");
        this.focusCell();
      },
    };
  }

  set(patch: Partial<Pick<View, "at" | "numbers">>): void {
    Object.assign(this, patch);
    this.emit();
  }

  /** If a cell is open, the arrows open the next one, so that a reader can go through a row. */
  #walk(by: number, within: boolean): void {
    const { cells, state } = this.checklist;
    const cell = cells[this.at + by];
    if (!within || !cell) return;
    this.set({ at: this.at + by });
    if (state.opened) this.checklist.open(cell.key);
    this.focusCell();
  }

  focusCell(): void {
    this.root.querySelectorAll<HTMLElement>(".twr-cell")[this.at]?.focus({ preventScroll: true });
  }
}
