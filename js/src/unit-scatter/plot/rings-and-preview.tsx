// Unit scatter, plot: rings around the opened and pinned unit and the one under mouse or cursor, with a preview of the
// latter.
// In: a view. Out: an SVG overlay and a small card.

import { eyeImage, isFlat } from "../data/eye-and-measured-image";
import { valueText } from "../data/units";
import { ImageCanvas } from "../images/image-canvas";
import type { View } from "../state/view";
import { SIDE } from "./image-placement";

const CARD = 176;
/** Side of the ring around an image. */
const AROUND = SIDE + 5;

export function RingsAndPreview({ view }: { view: View }) {
  const { state } = view.scatter;
  const { hint } = view;
  const rings = [
    { unit: state.pinned, name: "pinned" },
    { unit: state.unit, name: "opened" },
    { unit: hint?.unit ?? null, name: "hint" },
  ];
  return (
    <>
      <svg class="tws-marks" aria-hidden="true">
        {rings.map(({ unit, name }) => {
          const place = unit === null ? null : view.places[unit];
          if (unit === null || !place) return null;
          const square = view.imageUnits.includes(unit);
          return (
            <g
              key={name}
              class={`tws-ring tws-ring-${name}`}
              transform={`translate(${place[0]} ${place[1]})`}
            >
              {square ? (
                <rect x={-AROUND / 2} y={-AROUND / 2} width={AROUND} height={AROUND} />
              ) : (
                <circle r={name === "hint" ? 7 : 9} />
              )}
              {name === "hint" ? null : (
                <text x={square ? AROUND / 2 + 3 : 12} y={-8}>
                  {unit}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      {hint ? <Preview view={view} unit={hint.unit} /> : null}
    </>
  );
}

/** A small preview that shows what a unit prefers before it is opened. */
function Preview({ view, unit }: { view: View; unit: number }) {
  const { layer, state, images } = view.scatter;
  const place = view.places[unit];
  if (!place) return null;
  const room = view.root.querySelector(".tws-plot")?.clientWidth ?? 0;
  const left = place[0] + 14 + CARD > room ? place[0] - 14 - CARD : place[0] + 14;
  const waits = layer.table.waiting[state.objective]?.includes(unit);
  const flat = isFlat(layer, state.objective, unit) && !eyeImage(layer, state.objective, unit);
  const columns = [state.x, state.y, "preferred_class"].filter((name) => name in layer.table.columns);
  return (
    <div
      class="tws-card"
      style={{ left: `${Math.max(0, left)}px`, top: `${Math.max(0, place[1] - 34)}px` }}
      aria-hidden="true"
    >
      <ImageCanvas image={images.of(layer, state.objective, unit)} name="" pixels={64} />
      <p>
        <b>unit {unit}</b>
        {waits ? <span>not rendered yet</span> : null}
        {flat ? <span>one flat color</span> : null}
        {columns.map((name) => (
          <span key={name}>
            {name === "preferred_class" ? "" : `${short(layer.table.columns[name]?.label ?? name)} `}
            {valueText(layer, name, state.objective, unit)}
          </span>
        ))}
      </p>
    </div>
  );
}

function short(label: string): string {
  return label.length > 18 ? `${label.slice(0, 17)}…` : label;
}
