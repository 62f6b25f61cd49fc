// Unit scatter: the whole widget on the page.
// In: a view. Out: toolbar, plot, the opened and the pinned unit beside it, table, and what the status region announces.
import { Announcements } from "../shared/announcements";
import { useChanges } from "../shared/use-changes";
import { LiveBar } from "./controls/live-bar";
import { Toolbar } from "./controls/toolbar";
import { unitWarnings } from "./data/unit-warnings";
import { countOf, hasImages, objectiveName, valueText } from "./data/units";
import { Gallery } from "./gallery/gallery";
import { Plot } from "./plot/plot";
import type { View } from "./state/view";
import { UnitTable } from "./table/unit-table";
import { Tips } from "./terms/tips";
import { UnitPanel } from "./unit-panel/unit-panel";

export function Page({ view }: { view: View }) {
  useChanges(view.signal, view.scatter, view.scatter.images, view);
  const { scatter } = view;
  const { layer, state } = scatter;
  const { unit, pinned } = state;
  return (
    <>
      <header class="tw-header">
        <p class="tw-source">
          <strong>{scatter.units.model}</strong>
        </p>
        <p class="tw-keys" aria-hidden="true">
          <kbd>←</kbd>
          <kbd>↑</kbd>
          <kbd>↓</kbd>
          <kbd>→</kbd> nearest unit <kbd>Enter</kbd> open <kbd>P</kbd> pin
        </p>
      </header>
      <Toolbar view={view} />
      <LiveBar view={view} />
      {layer.notes.map((note) => (
        <p key={note} class="tw-note">
          {note}
        </p>
      ))}
      <div class={`tws-body${pinned !== null && pinned !== unit ? " tws-two" : ""}`}>
        <div class="tws-left">
          <Plot view={view} />
          {"rs" in layer.table.columns ? (
            <p class="tws-definition">
              <b>RS</b> is the share of the layer’s units that respond more strongly than a unit to the image
              made for it: high RS means replaceable. (Two papers of this title exist; this is the definition
              used here.)
            </p>
          ) : null}
        </div>
        {hasImages(layer) && view.galleryOpen ? <Gallery view={view} /> : null}
        <div class="tws-right">
          {pinned !== null && pinned !== unit ? <UnitPanel view={view} unit={pinned} place="pinned" /> : null}
          {unit === null ? (
            <Invitation waiting={scatter.waiting.size} />
          ) : (
            <UnitPanel view={view} unit={unit} place="opened" />
          )}
        </div>
        {view.tableOpen ? <UnitTable view={view} /> : null}
      </div>
      <Tips view={view} />
      <Announcements text={describe(view)} />
    </>
  );
}

function Invitation({ waiting }: { waiting: number }) {
  return (
    <section class="tws-unit tw-invitation tws-invitation">
      <p>
        <b>No unit is open.</b>
      </p>
      <p>
        Click a point or a picture to see what the unit prefers, which classes it responds to and what could
        replace it.
      </p>
      {waiting > 0 ? <p>Hollow points have no image yet.</p> : null}
    </section>
  );
}

/** What changed, for screen readers. */
export function describe(view: View): string {
  const { scatter, hint } = view;
  const { layer, state } = scatter;
  const place = (unit: number) =>
    [state.x, state.y]
      .map(
        (name) =>
          `${layer.table.columns[name]?.label ?? name} ${valueText(layer, name, state.objective, unit)}`,
      )
      .join(", ");
  if (hint?.by === "keys" && hint.unit !== state.unit)
    return `unit ${hint.unit}: ${place(hint.unit)}; Enter opens it`;
  if (state.unit !== null) {
    const wrong = unitWarnings(layer, state.objective, state.unit);
    return [`unit ${state.unit} is open: ${place(state.unit)}`, ...wrong].join(". ");
  }
  if (state.selected.length > 0) return `${state.selected.length} units are selected`;
  return `${layer.table.layer}, ${countOf(layer)} units, ${objectiveName(state.objective)}`;
}
