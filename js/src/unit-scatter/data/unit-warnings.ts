// The scatter: what is the matter with a unit, in words, and what says more of it.
import { eyeImage, isFlat, ONE_POSITION } from "./eye-and-measured-image";
import { capital, type Layer, objectiveName } from "./units";

/** A sentence for each trouble; none for a unit as it should be. */
export function unitWarnings(layer: Layer, objective: string, unit: number): string[] {
  const found = [];
  const shown = layer.shown[objective];
  const name = objectiveName(objective);
  if (layer.table.dead.includes(unit))
    found.push("Dead: it answers to none of the data, so its selectivity of 0 means nothing.");
  const missing = shown?.missing[unit];
  if (missing && !layer.table.waiting[objective]?.includes(unit)) found.push(`No ${name} image: ${missing}.`);
  const said = shown?.said[unit];
  if (layer.table.silent[objective]?.includes(unit))
    found.push(
      said
        ? `${capital(said)}. It has no RS under ${name}.`
        : `Silent: it does not answer to its own ${name} image, so it has no RS.`,
    );
  else if (isFlat(layer, objective, unit)) found.push(flat(layer, objective, unit));
  else if (said) found.push(`${name} image: ${said}.`);
  return found;
}

/** A unit of one color, and where to look instead. */
function flat(layer: Layer, objective: string, unit: number): string {
  const found = `Flat: one color is the best ${objectiveName(objective)} image that was found.`;
  if (eyeImage(layer, objective, unit) === ONE_POSITION)
    return `${found} The image for one position of its map says more.`;
  const exemplars = layer.exemplars?.images[unit]?.some((image) => image >= 0) ?? false;
  return exemplars && !layer.table.dead.includes(unit)
    ? `${found} The images of the data that it answers to most, below, say more.`
    : `${found} Look at one position of its map instead: tw.Neuron.`;
}
