// Unit scatter, unit panel: everything about the opened or the pinned unit.
// In: a unit. Out: its images, its numbers, the units that exceed it on its own image, its classes and its exemplars.

import { isFlat } from "../data/eye-and-measured-image";
import { isTerm, type TermName } from "../data/terms";
import { unitWarnings } from "../data/unit-warnings";
import { className, columnValue, measuredDrop, valueText } from "../data/units";
import type { View } from "../state/view";
import { Term } from "../terms/tips";
import { ClassMeans } from "./class-means";
import { Exemplars } from "./exemplars";
import { Optimization } from "./optimization";
import { PanelImages } from "./panel-images";
import { StrongerUnits } from "./stronger-units";

interface Props {
  view: View;
  unit: number;
  /** The pinned unit stands beside the opened one; the very same unit is shown once. */
  place: "opened" | "pinned";
}

export function UnitPanel({ view, unit, place }: Props) {
  const { scatter } = view;
  const { layer, state } = scatter;
  const { objective } = state;
  const pinned = state.pinned === unit;
  const color = isFlat(layer, objective, unit) ? ", one flat color" : "";
  const name = `${place === "pinned" ? "Pinned unit" : "Unit"} ${unit}${color}`;
  const wrong = unitWarnings(layer, objective, unit);
  return (
    <section class="tws-unit" aria-label={name}>
      <header class="tws-unit-head">
        <h4>
          Unit {unit}
          <span class="tw-quiet">{valueText(layer, "preferred_class", objective, unit)}</span>
        </h4>
        <button
          type="button"
          class="tw-button tws-pin"
          aria-pressed={pinned}
          title={pinned ? "Stop comparing with this unit" : "Keep this unit, and open another beside it"}
          onClick={() => scatter.togglePin(unit)}
        >
          {pinned ? "Pinned" : "Pin"}
        </button>
        {place === "opened" ? (
          <button
            type="button"
            class="tw-button tws-close"
            aria-label={`Close unit ${unit}`}
            onClick={() => scatter.open(null)}
          >
            ×
          </button>
        ) : null}
      </header>
      {wrong.map((sentence) => (
        <p key={sentence} class="tw-note">
          {sentence}
        </p>
      ))}
      {Object.keys(layer.sheets).some((kind) => kind in layer.shown) ? (
        <PanelImages
          view={view}
          unit={unit}
          onDrawn={place === "opened" ? () => view.clock.shown("open") : () => undefined}
        />
      ) : null}
      <Facts view={view} unit={unit} />
      <Optimization view={view} unit={unit} />
      <StrongerUnits view={view} unit={unit} />
      <ClassMeans layer={layer} unit={unit} beside={place === "pinned" ? state.unit : state.pinned} />
      <Exemplars view={view} unit={unit} />
    </section>
  );
}

/** The columns among the panel's numbers; the others are elsewhere in the panel or only in the table. */
const FACTS = ["selectivity", "rs", "substitutes", "accuracy_drop"];

const SHORT: Record<string, string> = {
  selectivity: "selectivity",
  rs: "RS",
  substitutes: "respond alike",
  accuracy_drop: "accuracy drop",
};

function Facts({ view, unit }: { view: View; unit: number }) {
  const { layer, state } = view.scatter;
  const worst = layer.worst?.drops[unit] ?? null;
  const worstClass = layer.worst?.classes[unit];
  return (
    <dl class="tw-part tw-numbers">
      {FACTS.filter((name) => name in layer.table.columns).map((name) => (
        <Fact
          key={name}
          view={view}
          name={SHORT[name] ?? name}
          term={isTerm(name) ? name : undefined}
          value={
            name === "accuracy_drop"
              ? measuredDrop(columnValue(layer, name, state.objective, unit), layer.dropErrors?.[unit])
              : valueText(layer, name, state.objective, unit)
          }
        />
      ))}
      {worst === null || worstClass === undefined ? null : (
        <Fact
          view={view}
          name={`worst class, ${className(layer, worstClass)}`}
          term="worst_class"
          value={measuredDrop(worst, layer.worst?.errors?.[unit])}
        />
      )}
    </dl>
  );
}

interface FactProps {
  view: View;
  name: string;
  term: TermName | undefined;
  value: string;
}

function Fact({ view, name, term, value }: FactProps) {
  return (
    <div>
      <dt>
        {term ? (
          <Term view={view} name={term}>
            {name}
          </Term>
        ) : (
          name
        )}
      </dt>
      <dd>{value}</dd>
    </div>
  );
}
