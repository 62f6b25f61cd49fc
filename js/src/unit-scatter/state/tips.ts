// Unit scatter, state: which explanation is shown, and at which element.
// In: what mouse and focus do. Out: the explanation; it stays a moment after the mouse left, so that it can be gone into.
import { onEnd } from "../../shared/lifetime";
import type { TermName } from "../data/terms";

const STAYS = 150;

export class TipState {
  shown: { name: TermName; at: HTMLElement } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly tell: () => void,
    signal: AbortSignal,
  ) {
    onEnd(signal, () => clearTimeout(this.#timer));
  }

  show(name: TermName, at: HTMLElement): void {
    this.stay();
    this.shown = { name, at };
    this.tell();
  }

  stay(): void {
    clearTimeout(this.#timer);
  }

  leave(): void {
    this.stay();
    this.#timer = setTimeout(() => this.hide(), STAYS);
  }

  hide(): void {
    this.stay();
    if (!this.shown) return;
    this.shown = undefined;
    this.tell();
  }
}
