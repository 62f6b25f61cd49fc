// Tuning explorer: the classes that rise and fall as the active dimension's slider moves.
// In: the measured effects and the point. Out: each class with the change of its score there.
import { decimal } from "../shared/format";
import type { Effects } from "./film";

const WHAT =
  "By how much each class's score changes, on average over images, when a layer's activations move along this " +
  "dimension from its mean to this point; at most by two standard deviations";

export function ClassEffects({ effects, point }: { effects: Effects; point: number }) {
  const { classes } = effects;
  if (classes.length === 0) return null;
  const most = Math.max(...classes.flatMap(({ change }) => change.map(Math.abs)));
  return (
    <div class="tw-part twe-classes">
      <p class="tw-quiet" title={WHAT}>
        Classes that rise and fall
      </p>
      <ul aria-label="Change of each class's score at this point">
        {classes.map(({ name, change }) => {
          const here = change[point] ?? 0;
          return (
            <li key={name}>
              <span class="twe-class-name">{name}</span>
              <span class="twe-class-bar" aria-hidden="true">
                <span
                  class={here < 0 ? "twe-falls" : "twe-rises"}
                  style={{ width: `${most > 0 ? (50 * Math.abs(here)) / most : 0}%` }}
                />
              </span>
              <span class="twe-class-change">{signed(here)}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** "+0.12" or "−0.12". */
export function signed(value: number): string {
  return value > 0 ? `+${decimal(value)}` : decimal(value);
}
