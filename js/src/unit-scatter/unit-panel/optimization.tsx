// Unit scatter, unit panel: RS and activation along a unit's optimization.
// In: a unit. Out: two curves, and the buttons for another restart and for twice the steps.

import { useChanges } from "../../shared/use-changes";
import { lineOf, objectiveName, waitsFor } from "../data/units";
import type { Rendering } from "../state/live-rendering";
import type { View } from "../state/view";
import { StepCurve } from "./step-curve";

export function Optimization({ view, unit }: { view: View; unit: number }) {
  const { scatter } = view;
  const { layer, state, rendering } = scatter;
  useChanges(view.signal, rendering);
  const { objective } = state;
  const name = layer.table.layer;
  const at = rendering?.isAt(name, unit) && rendering.now?.objective === objective ? rendering : undefined;
  const rs = at?.course.steps.length ? live(at, "rs") : lineOf(layer, objective, unit, "rs");
  const own = at?.course.steps.length ? live(at, "own") : lineOf(layer, objective, unit, "own");
  const waits = waitsFor(layer, unit).includes(objective);
  const missing = layer.shown[objective]?.missing[unit] !== undefined;
  const curves = rs.steps.length > 1 || own.steps.length > 1;
  const actions = rendering !== undefined && !waits && !missing;
  if (!curves && !actions) return null;
  const now = Math.max(...rs.steps, ...own.steps, 0);
  const steps = at?.now?.steps ?? Math.max(now, 1);
  return (
    <div class="tw-part">
      <h5 class="tw-heading">Along the optimization of its {objectiveName(objective)} image</h5>
      {curves ? (
        <div class="tws-courses">
          <StepCurve name="RS" line={rs} steps={steps} now={now} range={[0, 1]} />
          <StepCurve name="activation" line={own} steps={steps} now={now} />
        </div>
      ) : null}
      {actions ? (
        <p class="tws-actions">
          <button
            type="button"
            class="tw-button"
            disabled={rendering.gone || at !== undefined}
            title="From another start; the better image stays, and RS is the mean over all starts"
            onClick={() => scatter.more(unit, "restart")}
          >
            Another restart
          </button>
          <button
            type="button"
            class="tw-button"
            disabled={rendering.gone || at !== undefined}
            title="The same start, twice as many steps; the better image stays"
            onClick={() => scatter.more(unit, "longer")}
          >
            Twice the steps
          </button>
          <span class="tw-quiet" role="status">
            {outcome(rendering, name, unit, objective)}
          </span>
        </p>
      ) : null}
    </div>
  );
}

function live({ course }: Rendering, what: "rs" | "own") {
  const known = course.steps.flatMap((step, at) => {
    const value = course[what][at] ?? null;
    return value === null ? [] : [{ step, value }];
  });
  return { steps: known.map(({ step }) => step), values: known.map(({ value }) => value) };
}

function outcome({ outcome: last }: Rendering, layer: string, unit: number, objective: string): string {
  if (last?.layer !== layer || last.unit !== unit || last.objective !== objective) return "";
  const what = last.task === "restart" ? "Another start" : `${last.steps} steps`;
  return last.kept ? `${what}: better, and kept` : `${what}: no better, so the image stays`;
}
