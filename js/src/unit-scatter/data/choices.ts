// Unit scatter, data: what a reader may choose on a layer, and the initial choice.
// In: a layer. Out: columns for axes and colors, and the first choice (as in tunewidgets/widgets/unit_choices.py).
import { axisOf } from "./columns";
import type { Layer } from "./units";

/** RS where it tells units apart, as it does not in most deep layers. */
const FIRST_Y = ["rs", "accuracy_drop", "mean_activation"];
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
  const { objectives, columns } = layer.table;
  const objective = objectives.includes("iam") ? "iam" : (objectives[0] ?? "");
  const known = [...FIRST_Y.filter((name) => others.includes(name)), ...others];
  const isVaried = (name: string) => {
    const column = columns[name];
    return column !== undefined && axisOf(column, objective).varied;
  };
  const y = known.find(isVaried) ?? known[0] ?? x;
  return {
    x,
    y,
    color: colorColumns(layer).includes("preferred_class") ? "preferred_class" : null,
    objective,
  };
}
