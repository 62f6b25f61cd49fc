// Unit scatter, terms: explanations that appear where the mouse or the keyboard's focus is, and are read out there.
// In: a view. Out: a term as a word that can be focused, what any other control needs to explain one, and the box with the
// explanation. Escape takes the box away, and the mouse may go into it.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { TERMS, type TermName } from "../data/terms";
import type { View } from "../state/view";

/** Attributes of a control that explains a term. */
export function explains(view: View, name: TermName) {
  const show = (event: Event) => view.tips.show(name, event.currentTarget as HTMLElement);
  return {
    "aria-describedby": `${view.id}-${name}`,
    onMouseEnter: show,
    onMouseLeave: () => view.tips.leave(),
    onFocus: (event: FocusEvent) => {
      // A click focuses too, and its reader wants the button's work, not its explanation.
      if ((event.currentTarget as HTMLElement).matches(":focus-visible")) show(event);
    },
    onBlur: () => view.tips.hide(),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !view.tips.shown) return;
      event.stopPropagation();
      view.tips.hide();
    },
  };
}

/** A word with an explanation. */
export function Term({ view, name, children }: { view: View; name: TermName; children: ComponentChildren }) {
  const { onMouseEnter, ...rest } = explains(view, name);
  return (
    <button type="button" class="tws-term" onMouseEnter={onMouseEnter} onClick={onMouseEnter} {...rest}>
      {children}
    </button>
  );
}

const WIDTH = 300;
const EDGE = 8;

/** All explanations for screen readers, and the one that is shown. */
export function Tips({ view }: { view: View }) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  const { shown } = view.tips;
  useLayoutEffect(() => {
    if (!shown || !box.current) return;
    const [root, at] = [view.root.getBoundingClientRect(), shown.at.getBoundingClientRect()];
    const most = root.width - EDGE - box.current.offsetWidth;
    const left = Math.max(EDGE, Math.min(at.left - root.left, most));
    // Below the word; above it where the widget ends.
    const below = at.bottom - root.top + 4;
    const above = at.top - root.top - 4 - box.current.offsetHeight;
    const top = below + box.current.offsetHeight > root.height && above > 0 ? above : below;
    setPlace({ left, top });
  }, [shown]);
  return (
    <>
      {Object.entries(TERMS).map(([name, text]) => (
        <p key={name} id={`${view.id}-${name}`} hidden>
          {text}
        </p>
      ))}
      {shown ? (
        <div
          ref={box}
          class="tws-tip"
          aria-hidden="true"
          style={{ left: `${place.left}px`, top: `${place.top}px`, maxWidth: `${WIDTH}px` }}
          onMouseEnter={() => view.tips.stay()}
          onMouseLeave={() => view.tips.leave()}
        >
          {TERMS[shown.name]}
        </div>
      ) : null}
    </>
  );
}
