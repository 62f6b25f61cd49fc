// Tuning explorer: the units with the largest weights in a point's target.
// In: units and weights. Out: bars, on one scale per dimension.
import { useMemo } from "preact/hooks";
import { decimal } from "../shared/format";
import type { Dimension } from "./film";

export function HeaviestUnits({ dimension, point }: { dimension: Dimension; point: number }) {
  const most = useMemo(() => Math.max(...dimension.weights.flat(), Number.MIN_VALUE), [dimension]);
  return (
    <UnitBars units={dimension.units[point] ?? []} weights={dimension.weights[point] ?? []} most={most} />
  );
}

interface Bars {
  units: readonly number[];
  weights: readonly number[];
  /** The weight of the longest bar. */
  most: number;
}

export function UnitBars({ units, weights, most }: Bars) {
  return (
    <div class="tw-part twe-units">
      <h4 class="tw-heading">Units that weigh most in the target</h4>
      {units.length === 0 ? <p class="tw-quiet">No unit has a positive weight here.</p> : null}
      <ol>
        {units.map((unit, rank) => (
          <li key={rank}>
            <span>unit {unit}</span>
            <span class="twe-weight" aria-hidden="true">
              <span style={{ width: `${(100 * (weights[rank] ?? 0)) / most}%` }} />
            </span>
            <span class="twe-value">{decimal(weights[rank], most < 10 ? 2 : most < 100 ? 1 : 0)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
