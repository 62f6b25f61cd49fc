// The exported page: the browser's side of addresses. Words in the text that are links to an address move the widgets,
// the address bar follows what a reader does, and reloading and going back lead to where one was.

import type { Place } from "../shared/address-state";
import { onEnd } from "../shared/lifetime";
import { type Addressed, read, write } from "./address";
import type { HostedModel } from "./hosted-model";

export interface Traveller extends Addressed {
  model: HostedModel;
  visit(place: Place): void;
  /** Where it stands on the page. */
  elements: readonly Element[];
}

/** Milliseconds of rest before the address is written: some browsers count how often that is done. */
const REST = 300;

export function travel(travellers: readonly Traveller[], signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = () => {
    clearTimeout(timer);
    timer = undefined;
    const there = here(write(travellers));
    if (there !== location.href) history.replaceState(null, "", there);
  };
  const rest = () => {
    clearTimeout(timer);
    timer = setTimeout(settle, REST);
  };
  const arrive = () => {
    const places = read(location.hash, travellers);
    travellers.forEach(({ first, visit }, at) => {
      visit({ ...first, ...places?.[at] });
    });
  };

  if (read(location.hash, travellers)) arrive();
  for (const { model, first } of travellers)
    for (const trait of Object.keys(first)) model.on(`change:${trait}`, rest);
  onEnd(signal, () => clearTimeout(timer));
  addEventListener("popstate", arrive, { signal });

  for (const link of document.querySelectorAll<HTMLAnchorElement>('.page-text a[href^="#"]')) {
    const places = read(link.hash, travellers);
    if (!places) continue;
    link.classList.add("page-move");
    link.addEventListener(
      "click",
      (event) => {
        // With a key it opens elsewhere, as any link does.
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        // What was there is left in the history as it was, so that going back leads to it.
        settle();
        travellers.forEach(({ visit, elements }, at) => {
          const place = places[at] ?? {};
          if (Object.keys(place).length === 0) return;
          visit(place);
          reveal(elements[0], link);
        });
        const there = here(write(travellers));
        if (there !== location.href) history.pushState(null, "", there);
      },
      { signal },
    );
  }
}

/** Pixels of a widget that must be in view. */
const GLIMPSE = 200;

/** Scrolls to a widget that is out of sight, and takes the words that lead there along as far as may be. */
function reveal(element: Element | undefined, link: Element): void {
  if (!element) return;
  const { top, bottom } = element.getBoundingClientRect();
  if (bottom < GLIMPSE) element.scrollIntoView();
  else if (top > innerHeight - GLIMPSE)
    scrollBy({ top: Math.min(top - innerHeight / 3, Math.max(0, link.getBoundingClientRect().top - 16)) });
}

/** The page's address with another end. Whole, as an end alone would belong to the page around a frame. */
function here(end: string): string {
  return location.href.replace(/#.*$/s, "") + (end === "#" ? "" : end);
}
