// Tuning explorer: the units with the largest weights in a point's target.
// In: units and weights, and the unit that is picked. Out: bars, relative to the heaviest; a click picks a unit, which
// widgets that are linked by the trait `unit` open, and tells where else it weighs most.
import { decimal } from "../shared/format";
import { dimensionsOfUnit } from "./film";
import type { View } from "./view";

interface Bars {
  view: View;
  units: readonly number[];
  /** Heaviest first. */
  weights: readonly number[];
}

export function UnitBars({ view, units, weights }: Bars) {
  const { explorer } = view;
  const most = Math.max(...weights, Number.MIN_VALUE);
  const picked = explorer.state.unit;
  return (
    <div class="tw-part twe-units">
      <h4 class="tw-heading">Units that weigh most here; press one to see where else</h4>
      {units.length === 0 ? <p class="tw-quiet">No unit has a positive weight here.</p> : null}
      <ol>
        {units.map((unit, rank) => (
          <li key={rank}>
            <button type="button" aria-pressed={unit === picked} onClick={() => explorer.pick(unit)}>
              unit {unit}
            </button>
            <span class="twe-weight" aria-hidden="true">
              <span style={{ width: `${(100 * (weights[rank] ?? 0)) / most}%` }} />
            </span>
            <span class="twe-value">{decimal(weights[rank], most < 10 ? 2 : most < 100 ? 1 : 0)}</span>
          </li>
        ))}
      </ol>
      {picked === null ? null : <PickedUnit view={view} unit={picked} here={units.includes(picked)} />}
    </div>
  );
}

/** The most dimensions that are named. */
const NAMED = 6;

interface Picked {
  view: View;
  unit: number;
  /** Whether it is among the heaviest where the slider stands. */
  here: boolean;
}

function PickedUnit({ view, unit, here }: Picked) {
  const { explorer } = view;
  const found = dimensionsOfUnit(explorer.film, unit).filter(({ at }) => at !== explorer.state.dimension);
  const named = found.slice(0, NAMED);
  return (
    <p class="twe-picked">
      <strong>Unit {unit}</strong>{" "}
      {named.length === 0
        ? `is in no ${here ? "other " : ""}dimension among the heaviest.`
        : `is ${here ? "also " : ""}among the heaviest in `}
      {named.map(({ at, point }, rank) => (
        <span key={at}>
          {rank > 0 ? ", " : null}
          <button
            type="button"
            class="tw-link"
            title={`Go to its heaviest point there, point ${point + 1}`}
            onClick={() => explorer.move(at, point)}
          >
            {explorer.title(at)}
          </button>
        </span>
      ))}
      {found.length > NAMED ? ` and ${found.length - NAMED} more` : null}
    </p>
  );
}
