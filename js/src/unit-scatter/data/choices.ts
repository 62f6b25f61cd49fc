// Unit scatter, data: what a reader may choose on a layer, and the initial choice.
// In: a layer. Out: columns for axes and colors, and the first choice (as in tunewidgets/widgets/unit_choices.py).
import type { Layer } from "./units";

const COLORS = ["preferred_class", "accuracy_drop"];

export function axisColumns({ table }: Layer): string[] {
  return Object.keys(table.columns).filter((name) => table.columns[name]?.kind !== "class");
}

export function colorColumns({ table }: Layer): string[] {
  return COLORS.filter((name) => name in table.columns);
}

export interface FirstChoices {
  x: string;
  y: string;
  color: string | null;
  objective: string;
}

export function firstChoices(layer: Layer): FirstChoices {
  const axes = axisColumns(layer);
  const x = axes.includes("selectivity") ? "selectivity" : (axes[0] ?? "");
  const others = axes.filter((name) => name !== x);
  const y = ["rs", "accuracy_drop", ...others].find((name) => others.includes(name)) ?? x;
  const { objectives } = layer.table;
  return {
    x,
    y,
    color: colorColumns(layer).includes("preferred_class") ? "preferred_class" : null,
    objective: objectives.includes("iam") ? "iam" : (objectives[0] ?? ""),
  };
}
