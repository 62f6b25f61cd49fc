// Unit scatter, data: units with two images, one for the eye and one that RS was measured on; and units of one flat color.
// In: a layer, an objective, a unit. Out: which images there are, and the words for the one that is shown.
import { capital } from "../../shared/format";
import { columnValue, type Layer, number, objectiveName } from "./units";

/** What the records call the image for one position of a unit's map (tunewidgets/derived/shown_images.py). */
export const ONE_POSITION = "one position";

/** The name of the sheet with the images that RS was measured on; the objective's own sheet is for the eye. */
export function measuredKind(objective: string): string {
  return `${objective} measured`;
}

/** The description of the image for the eye, such as "bounded contrast"; empty where one image serves both purposes. */
export function eyeImage(layer: Layer, objective: string, unit: number): string {
  const named = Object.entries(layer.shown[objective]?.display ?? {});
  return named.find(([, units]) => units.includes(unit))?.[0] ?? "";
}

/** Whether the image that RS was measured on is one flat color. */
export function isFlat(layer: Layer, objective: string, unit: number): boolean {
  return layer.shown[objective]?.said[unit]?.startsWith("flat") ?? false;
}

/** Alternative text for the image that is shown. */
export function imageName(layer: Layer, objective: string, unit: number, measured: boolean): string {
  const eye = eyeImage(layer, objective, unit);
  const what = measured && eye ? "as RS was measured" : eye;
  const color = isFlat(layer, objective, unit) && (measured || !eye) ? "one flat color" : "";
  const whole = [`${objectiveName(objective)} image of unit ${unit}`, what, color];
  return whole.filter((part) => part !== "").join(", ");
}

/** Which of a unit's two images is shown, in words, with its responses to both; empty where it has only one. */
export function caption(layer: Layer, objective: string, unit: number, measured: boolean): string {
  const eye = eyeImage(layer, objective, unit);
  if (!eye) return "";
  const flat = isFlat(layer, objective, unit);
  const plain = flat ? "One flat color" : "Full contrast";
  const first = measured
    ? `${plain}: the image that RS was measured on.`
    : eye === ONE_POSITION
      ? `One position of the map; the image that maximizes the mean is ${flat ? "one flat color" : "another"}.`
      : `${capital(eye)}, for the eye; RS was measured on the image at full contrast.`;
  const responses = [
    layer.shown[objective]?.displayResponses[unit] ?? null,
    columnValue(layer, "own_response", objective, unit),
  ];
  const [here, there] = measured ? responses.reverse() : responses;
  if (here === null || there === null || here === undefined || there === undefined) return first;
  return `${first} Activation ${number(here)} on this image, ${number(there)} on the other.`;
}
