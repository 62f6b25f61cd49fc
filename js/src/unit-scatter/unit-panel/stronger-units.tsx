// Unit scatter, unit panel: the units that respond more strongly than a unit to its own image, strongest first.
// In: a unit. Out: a list of images; a click opens one.
import { decimal } from "../../shared/format";
import { eyeImage } from "../data/eye-and-measured-image";
import { exceedingSentence, objectiveName } from "../data/units";
import { ImageCanvas } from "../images/image-canvas";
import type { View } from "../state/view";

const PIXELS = 96;

export function StrongerUnits({ view, unit }: { view: View; unit: number }) {
  const { scatter } = view;
  const { layer, state, images } = scatter;
  const { objective } = state;
  const sentence = exceedingSentence(layer, objective, unit);
  if (!sentence) return null;
  const waiting = new Set(layer.table.waiting[objective]);
  const units = layer.shown[objective]?.exceeders[unit] ?? [];
  const ratios = layer.shown[objective]?.ratios[unit] ?? [];
  return (
    <div class="tw-part">
      <h5 class="tw-heading">
        On its {objectiveName(objective)} image
        {eyeImage(layer, objective, unit) ? ", as RS was measured" : ""}
      </h5>
      <p class="tws-sentence">{sentence}</p>
      {units.length === 0 ? null : (
        <ol class="tws-exceeders" aria-label={`Units that exceed unit ${unit} on its own image`}>
          {units.map((other, rank) => (
            <li key={other}>
              <button
                type="button"
                class="tws-thumb"
                aria-label={`Open unit ${other}, ${decimal(ratios[rank], 2)} times as strong`}
                onClick={() => scatter.open(other)}
              >
                <ImageCanvas
                  image={images.of(layer, objective, other)}
                  name=""
                  pixels={PIXELS}
                  class={waiting.has(other) ? "tws-unmade" : ""}
                />
                <span class="tws-caption">
                  <b>{other}</b> ×{decimal(ratios[rank], (ratios[rank] ?? 0) < 10 ? 2 : 0)}
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
