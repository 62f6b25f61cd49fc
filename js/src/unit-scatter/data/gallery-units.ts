// Unit scatter, data: which units the gallery shows, in which order.
// In: a layer, and the reader's order and filters. Out: units; and the filters that leave some, with how many.
import { classResponse, orderedClass } from "./class-responses";
import { isFlat } from "./eye-and-measured-image";
import { columnValue, countOf, type Layer } from "./units";
import { ordered, unitsBy } from "./visible-rows";

/** What may be the matter with a unit, or all units, or the reader's selection. */
export type Group = "all" | "selected" | "flat" | "silent" | "dead" | "failed" | "waiting";

export interface GalleryChoice {
  /** Undefined: the most selective first, where the layer has selectivity. Empty: by the units' numbers. */
  column: string | undefined;
  rising: boolean;
  group: Group;
  /** Undefined: all classes. */
  preferred: number | undefined;
}

export const FIRST_CHOICE: GalleryChoice = {
  column: undefined,
  rising: false,
  group: "all",
  preferred: undefined,
};

const WORDS: Record<Group, string> = {
  all: "all units",
  selected: "selected",
  flat: "one flat color",
  silent: "silent",
  dead: "dead",
  failed: "without an image",
  waiting: "not rendered yet",
};

/** The column that a gallery is ordered by: one that the layer lacks is none. */
export function orderedBy(layer: Layer, { column = "selectivity" }: GalleryChoice): string {
  return column in layer.table.columns || orderedClass(layer, column) !== undefined ? column : "";
}

export function inGroup(
  layer: Layer,
  objective: string,
  group: Group,
  selected: readonly number[],
): (unit: number) => boolean {
  const { dead, silent, failed, waiting } = layer.table;
  const chosen: Record<Exclude<Group, "all" | "flat">, ReadonlySet<number>> = {
    selected: new Set(selected),
    silent: new Set(silent[objective]),
    dead: new Set(dead),
    failed: new Set(failed[objective]),
    waiting: new Set(waiting[objective]),
  };
  if (group === "all") return () => true;
  return group === "flat" ? (unit) => isFlat(layer, objective, unit) : (unit) => chosen[group].has(unit);
}

export function galleryUnits(
  layer: Layer,
  objective: string,
  choice: GalleryChoice,
  selected: readonly number[],
): number[] {
  const is = inGroup(layer, objective, choice.group, selected);
  const { rising } = choice;
  const column = orderedBy(layer, choice);
  const kind = orderedClass(layer, column);
  const order =
    kind === undefined
      ? ordered(layer, objective, { column, rising })
      : unitsBy(layer, (unit) => classResponse(layer, unit, kind), rising);
  return order.filter(
    (unit) =>
      is(unit) &&
      (choice.preferred === undefined ||
        columnValue(layer, "preferred_class", objective, unit) === choice.preferred),
  );
}

export interface Counted<T> {
  value: T;
  text: string;
  count: number;
}

/** All units, the selection, and whatever is the matter with some. */
export function groups(layer: Layer, objective: string, selected: readonly number[]): Counted<Group>[] {
  const every = Array.from({ length: countOf(layer) }, (_, unit) => unit);
  return (Object.keys(WORDS) as Group[])
    .map((value) => ({
      value,
      text: WORDS[value],
      count: every.filter(inGroup(layer, objective, value, selected)).length,
    }))
    .filter(({ value, count }) => value === "all" || count > 0);
}

/** The classes that some unit prefers. */
export function preferredClasses(layer: Layer, objective: string): Counted<number>[] {
  const counts = new Map<number, number>();
  for (let unit = 0; unit < countOf(layer); unit++) {
    const one = columnValue(layer, "preferred_class", objective, unit);
    if (one !== null) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, count]) => ({ value, text: layer.classes[value] ?? `class ${value}`, count }));
}
