// Unit scatter, unit panel: the images of the data to which a unit responds most, where the record has them.
// In: a unit. Out: the images, or their numbers.

import { number } from "../data/units";
import { ImageCanvas } from "../images/image-canvas";
import type { View } from "../state/view";

const PIXELS = 96;
const KIND = "exemplar";

export function Exemplars({ view, unit }: { view: View; unit: number }) {
  const { layer, images } = view.scatter;
  const exemplars = layer.exemplars?.images[unit]?.filter((image) => image >= 0) ?? [];
  if (exemplars.length === 0 || layer.table.dead.includes(unit)) return null;
  const activations = layer.exemplars?.activations?.[unit] ?? [];
  return (
    <div class="tw-part">
      <h5 class="tw-heading">Images of the data it responds to most</h5>
      {layer.sheets[KIND] ? (
        <ol class="tws-exemplars">
          {exemplars.map((image, rank) => (
            <li
              key={image}
              title={`image ${image} of the data, activation ${number(activations[rank] ?? null)}`}
            >
              <ImageCanvas
                image={images.of(layer, KIND, unit, rank)}
                name={`image ${image} of the data`}
                pixels={PIXELS}
              />
            </li>
          ))}
        </ol>
      ) : (
        <p class="tws-sentence">
          Numbers {exemplars.join(", ")}. <span class="tw-quiet">The record keeps no photographs.</span>
        </p>
      )}
    </div>
  );
}
