// Unit scatter, unit panel: the switch between a unit's image for the eye and the one that RS was measured on.
// In: a unit with two images. Out: two buttons, and a sentence about the one that is shown.
import { caption, eyeImage } from "../data/eye-and-measured-image";
import { objectiveName } from "../data/units";
import type { View } from "../state/view";

export function ImageSwitch({ view, unit }: { view: View; unit: number }) {
  const { layer, state } = view.scatter;
  const { objective } = state;
  if (!eyeImage(layer, objective, unit)) return null;
  const choices = [
    { text: "for the eye", measured: false },
    { text: "as RS was measured", measured: true },
  ];
  return (
    <div class="tws-which">
      <fieldset class="tw-segments">
        <legend class="tw-hidden">
          Which {objectiveName(objective)} image of unit {unit}
        </legend>
        {choices.map(({ text, measured }) => (
          <button
            key={text}
            type="button"
            aria-pressed={view.measured === measured}
            onClick={() => view.set({ measured })}
          >
            {text}
          </button>
        ))}
      </fieldset>
      <p class="tw-quiet">{caption(layer, objective, unit, view.measured)}</p>
    </div>
  );
}
