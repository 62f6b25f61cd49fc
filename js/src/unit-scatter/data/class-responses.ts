// Unit scatter, data: how strongly units respond to one class.
// In: a layer and a class. Out: mean activations, the orders by them, and what such an order is called.
import { className, type Layer } from "./units";

const PREFIX = "response to ";
/** Of more classes, as ImageNet has, a unit's record holds only those that it responds to most. */
const MOST_CLASSES = 20;

/** A unit's mean activation on a class; null where the record does not hold it. */
export function classResponse(layer: Layer, unit: number, index: number): number | null {
  const at = layer.means?.classes?.[unit]?.indexOf(index) ?? index;
  return layer.means?.means[unit]?.[at] ?? null;
}

/** The orders by the response to a class: their names and texts; of many classes, that to `preferred` alone. */
export function classOrders(layer: Layer, preferred: number | undefined): { value: string; text: string }[] {
  if (!layer.means) return [];
  const every = layer.classes.map((_, index) => index);
  const offered = every.length <= MOST_CLASSES ? every : every.filter((index) => index === preferred);
  return offered.map((index) => ({
    value: `${PREFIX}${index}`,
    text: `${PREFIX}${className(layer, index)}`,
  }));
}

/** The class whose responses an order is by; undefined if it is by something else. */
export function orderedClass(layer: Layer, column: string): number | undefined {
  const index = column.startsWith(PREFIX) ? Number(column.slice(PREFIX.length)) : Number.NaN;
  return layer.means && index in layer.classes ? index : undefined;
}
