// Unit scatter, gallery: one unit's picture, framed in its class's color, with its number and its value.
// In: a unit. Out: an option of the gallery's list.
import { classResponse, orderedClass } from "../data/class-responses";
import { eyeImage, isFlat } from "../data/eye-and-measured-image";
import { number, valueText } from "../data/units";
import { ImageCanvas } from "../images/image-canvas";
import { UnrenderedRing } from "../images/unrendered-ring";
import type { View } from "../state/view";

interface Props {
  view: View;
  unit: number;
  /** The column whose value is written under the picture; empty for none. */
  column: string;
  color: string | undefined;
  /** Its place in the whole list, and the list's length. */
  at: number;
  count: number;
  current: boolean;
}

const PIXELS = 96;

export function idOf(view: View, unit: number): string {
  return `${view.id}-tile-${unit}`;
}

export function Tile({ view, unit, column, color, at, count, current }: Props) {
  const { layer, state, images } = view.scatter;
  const { objective } = state;
  const preferred = valueText(layer, "preferred_class", objective, unit);
  const kind = orderedClass(layer, column);
  const response = kind === undefined ? null : classResponse(layer, unit, kind);
  const told = column && column !== "preferred_class" && kind === undefined;
  const value = told ? valueText(layer, column, objective, unit) : response === null ? "" : number(response);
  const flaw = flawOf(view, unit);
  const marks = [state.selected.includes(unit) ? "selected" : "", state.pinned === unit ? "pinned" : ""];
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and says which of its options is current
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      id={idOf(view, unit)}
      role="option"
      aria-selected={state.unit === unit}
      aria-posinset={at + 1}
      aria-setsize={count}
      class={[
        "tws-tile",
        state.unit === unit ? "tws-tile-opened" : "",
        state.pinned === unit ? "tws-tile-pinned" : "",
        state.selected.includes(unit) ? "tws-chosen" : "",
        current ? "tws-tile-current" : "",
      ].join(" ")}
      style={color ? { "--tws-class": color } : undefined}
      onClick={() => view.scatter.open(unit)}
      onMouseEnter={() => view.set({ hint: { unit, by: "mouse" } })}
      onMouseLeave={() => view.set({ hint: undefined })}
    >
      <span class="tws-tile-frame">
        <ImageCanvas image={images.of(layer, objective, unit)} name="" pixels={PIXELS} />
        {flaw ? (
          <span class="tws-tile-flaw">
            {flaw === UNRENDERED ? <UnrenderedRing /> : flaw}
            <span class="tw-hidden">{flaw === UNRENDERED ? `${flaw}, ` : ", "}</span>
          </span>
        ) : null}
      </span>
      <span class="tws-tile-line">
        <span class="tw-hidden">unit </span>
        <b>{unit}</b>
        {value ? <span class="tw-hidden">, {layer.table.columns[column]?.label ?? column} </span> : null}
        <span>{value}</span>
      </span>
      <span class="tws-tile-class">
        {preferred === "–" ? null : <span class="tw-hidden">, </span>}
        {preferred === "–" ? "" : preferred}
        {marks.filter(Boolean).map((mark) => (
          <span key={mark} class="tw-hidden">
            , {mark}
          </span>
        ))}
      </span>
    </div>
  );
}

const UNRENDERED = "not rendered yet";

/** What is the matter with a unit, in a word. */
function flawOf(view: View, unit: number): string {
  const { layer, state } = view.scatter;
  const { objective } = state;
  const { dead, silent, failed, waiting } = layer.table;
  if (waiting[objective]?.includes(unit)) return UNRENDERED;
  if (failed[objective]?.includes(unit)) return "no image";
  if (dead.includes(unit)) return "dead";
  if (silent[objective]?.includes(unit)) return "silent";
  return isFlat(layer, objective, unit) && !eyeImage(layer, objective, unit) ? "flat" : "";
}
