// Unit scatter, controls: the bar for live work.
// In: the live rendering. Out: how many units are waiting, the button that renders them all, and the kernel's light.

import { KernelLight } from "../../shared/kernel-light";
import { TroubleBox } from "../../shared/trouble-box";
import { useChanges } from "../../shared/use-changes";
import { countOf } from "../data/units";
import { UnrenderedRing } from "../images/unrendered-ring";
import type { View } from "../state/view";

export function LiveBar({ view }: { view: View }) {
  const { scatter } = view;
  const { rendering, layer, state } = scatter;
  useChanges(view.signal, rendering);
  const waiting = scatter.waiting.size;
  if (!rendering && waiting === 0) return null;
  const total = countOf(layer);
  // The opened unit's own trouble is told where its image would be.
  const lost = rendering?.lost;
  const elsewhere = lost?.unit !== state.unit || lost?.layer !== state.layer;
  return (
    <>
      <div class="tw-livebar">
        {rendering?.all ? (
          <Run view={view} all={rendering.all} />
        ) : waiting > 0 ? (
          <p class="tws-waiting">
            <UnrenderedRing />
            {waiting === total ? `None of ${total} units is` : `${waiting} of ${total} units are not`}{" "}
            rendered yet
            {rendering ? null : (
              <span class="tw-quiet">
                : open the record with <code>probe=</code> to render them
              </span>
            )}
          </p>
        ) : (
          <p class="tw-quiet">All {total} units are rendered</p>
        )}
        {rendering && waiting > 0 && !rendering.all ? (
          <button
            type="button"
            class="tw-button tws-all"
            disabled={rendering.gone}
            title="The selected ones first, then the most class-selective"
            onClick={() => scatter.renderAll()}
          >
            Render {waiting === total ? `all ${total}` : `the other ${waiting}`}
          </button>
        ) : null}
        {rendering ? <KernelLight state={rendering.kernel.state} /> : null}
      </div>
      {rendering?.trouble && elsewhere ? (
        <div class="tws-lost">
          <TroubleBox trouble={rendering.trouble} />
          <button type="button" class="tw-button" onClick={() => rendering.retry()}>
            Try again
          </button>
        </div>
      ) : null}
    </>
  );
}

function Run({ view, all: [done, total] }: { view: View; all: [number, number] }) {
  return (
    <>
      <p class="tws-run">
        <progress max={total} value={done} aria-label="Units rendered" />
        <span>
          {done} of {total} rendered
        </span>
      </p>
      <button type="button" class="tw-button" onClick={() => view.scatter.rendering?.stop()}>
        Cancel
      </button>
    </>
  );
}
