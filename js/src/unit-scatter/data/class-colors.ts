// Unit scatter, data: the color that stands for each class, in every layer and in every part of the widget.
// In: the plot's template. Out: a color by class; undefined where no unit prefers the class.
import type { Template } from "./figure-template";

export function classColors({ traces }: Template): Map<number, string> {
  const found = new Map<number, string>();
  for (const { meta, marker } of traces.preferred_class ?? [])
    for (const one of meta.among ?? []) found.set(one, String(marker.color));
  return found;
}
