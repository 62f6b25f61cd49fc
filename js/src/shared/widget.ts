// Shared: the functions that anywidget and the exported page call. One state per widget, one Preact tree per view.
// In: how a widget's state begins, and what one view of it is. Out: `initialize`, `render` and `visit`.
import type { AnyModel } from "@anywidget/types";
import { render as draw, type VNode } from "preact";
import type { AddressState } from "./address-state";
import { lifetime, onEnd } from "./lifetime";
import { followTheme } from "./theme";

interface Props {
  model: AnyModel;
  signal?: AbortSignal;
}

/** `name`: the class of a view's root. `view`: what is drawn in a root until the signal aborts. */
export function widget<State extends { visit(asked: AddressState): void }>(
  name: string,
  begin: (model: AnyModel, signal: AbortSignal) => State,
  view: (state: State, root: HTMLElement, signal: AbortSignal) => VNode,
) {
  return () => {
    let state: State | undefined;

    function initialize({ model, signal }: Props): () => void {
      const life = lifetime(signal);
      state = begin(model, life.signal);
      return life.end;
    }

    function render({ model, el, signal }: Props & { el: HTMLElement }): () => void {
      const life = lifetime(signal);
      // Some hosts render without having initialized: the state then lives as long as its first view.
      state ??= begin(model, life.signal);
      const root = document.createElement("div");
      root.className = `tw ${name}`;
      // What a host lays out in its rows is the element that it gave.
      el.classList.add("tw-place");
      el.append(root);
      followTheme(root, life.signal);
      draw(view(state, root, life.signal), root);
      onEnd(life.signal, () => {
        draw(null, root);
        root.remove();
        el.classList.remove("tw-place");
      });
      return life.end;
    }

    /** Takes over the state from a page's address; values that are not valid here change nothing. */
    function visit(asked: AddressState): void {
      state?.visit(asked);
    }

    return { initialize, render, visit };
  };
}
