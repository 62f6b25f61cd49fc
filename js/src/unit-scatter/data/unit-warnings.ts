// Unit scatter, data: what is wrong with a unit, in words, and where to look instead.
// In: a layer, an objective, a unit. Out: sentences, none for a unit without a problem.

import { capital } from "../../shared/format";
import { eyeImage, isFlat, ONE_POSITION } from "./eye-and-measured-image";
import { type Layer, objectiveName } from "./units";

/** One sentence per problem. */
export function unitWarnings(layer: Layer, objective: string, unit: number): string[] {
  const found = [];
  const shown = layer.shown[objective];
  const name = objectiveName(objective);
  if (layer.table.dead.includes(unit))
    found.push("Dead: it responds to none of the data, so it has no class selectivity.");
  const missing = shown?.missing[unit];
  if (missing && !layer.table.waiting[objective]?.includes(unit)) found.push(`No ${name} image: ${missing}.`);
  const said = shown?.said[unit];
  if (layer.table.silent[objective]?.includes(unit))
    found.push(
      said
        ? `${capital(said)}. It has no RS under ${name}.`
        : `Silent: it does not respond to its own ${name} image, so it has no RS.`,
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
    ? `${found} The images of the data that it responds to most, below, say more.`
    : `${found} Look at one position of its map instead: tw.Neuron.`;
}
