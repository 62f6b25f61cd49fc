// Exported page: keeps the browser's address bar and the widgets in step.
// In: the widgets, and what the reader does. Out: links in the text move the widgets, the address follows the reader, and
// reloading or going back restores what was there.

import type { AddressState } from "../shared/address-state";
import { onEnd } from "../shared/lifetime";
import { type Addressed, read, write } from "./address";
import type { HostedModel } from "./hosted-model";

export interface AddressedWidget extends Addressed {
  model: HostedModel;
  /** Traits in which a reader writes: the address keeps them, but going back or elsewhere on the page undoes none. */
  kept: readonly string[];
  visit(asked: AddressState): void;
  /** Its elements on the page. */
  elements: readonly Element[];
}

/** Milliseconds without a change before the address is written: some browsers limit how often that may happen. */
const REST = 300;
/** Milliseconds after which it is written although something goes on changing, as a film that plays does. */
const MOST = 1000;

export function followAddress(widgets: readonly AddressedWidget[], signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let since = 0;
  const settle = () => {
    clearTimeout(timer);
    timer = undefined;
    const there = here(write(widgets));
    if (there !== location.href) history.replaceState(null, "", there);
  };
  const rest = () => {
    const now = performance.now();
    if (timer === undefined) since = now;
    clearTimeout(timer);
    timer = setTimeout(settle, Math.max(0, Math.min(REST, since + MOST - now)));
  };
  const arrive = () => {
    const states = read(location.hash, widgets);
    widgets.forEach(({ first, kept, visit }, at) => {
      visit(without(kept, { ...first, ...states?.[at] }));
    });
  };

  read(location.hash, widgets)?.forEach((state, at) => {
    widgets[at]?.visit(state);
  });
  for (const { model, first } of widgets)
    for (const trait of Object.keys(first)) model.on(`change:${trait}`, rest);
  onEnd(signal, () => clearTimeout(timer));
  addEventListener("popstate", arrive, { signal });

  for (const link of document.querySelectorAll<HTMLAnchorElement>('.page-text a[href^="#"]')) {
    const states = read(link.hash, widgets);
    if (!states) continue;
    link.classList.add("page-move");
    link.addEventListener(
      "click",
      (event) => {
        // With a modifier key it opens elsewhere, like any link.
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        // The previous state goes into the history, so that going back leads to it.
        settle();
        widgets.forEach(({ kept, visit, elements }, at) => {
          const state = without(kept, states[at] ?? {});
          if (Object.keys(state).length === 0) return;
          visit(state);
          reveal(elements[0], link);
        });
        const there = here(write(widgets));
        if (there !== location.href) history.pushState(null, "", there);
      },
      { signal },
    );
  }
}

function without(names: readonly string[], state: AddressState): AddressState {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
}

/** The least height of a widget that must be in view, in pixels. */
const GLIMPSE = 200;

/** Scrolls to a widget that is out of sight, and keeps the link that led there in view if possible. */
function reveal(element: Element | undefined, link: Element): void {
  if (!element) return;
  const { top, bottom } = element.getBoundingClientRect();
  if (bottom < GLIMPSE) element.scrollIntoView();
  else if (top > innerHeight - GLIMPSE)
    scrollBy({ top: Math.min(top - innerHeight / 3, Math.max(0, link.getBoundingClientRect().top - 16)) });
}

/** The page's address with another fragment. In full, because a fragment alone would refer to the page around a frame. */
function here(end: string): string {
  return location.href.replace(/#.*$/s, "") + (end === "#" ? "" : end);
}
