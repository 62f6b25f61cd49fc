// Unit scatter, plot: binds a layer's numbers to the template, as `bound` does in tunewidgets/figures/scatter.py: whatever
// changes here changes there.
// In: the template, a layer's table of columns and the reader's choice. Out: plotly's data and layout.
import {
  type Axis,
  axisOf,
  type Column,
  place,
  type UnitColumns,
  type Value,
  valuesOf,
} from "../data/columns";
import type { Layout, Template, Trace } from "../data/figure-template";
import { rankCorrelation } from "./spearman";

export interface FigureChoice {
  x: string;
  y: string;
  color: string;
  objective: string;
}

/** On a root scale a trace holds roots; the values themselves, for the hover text, are in these. */
const PLAIN_VALUES = { x: "hovertext", y: "text" } as const;

export interface Bound extends Trace {
  x: number[];
  y: number[];
  customdata: number[];
  ids: string[];
}

export interface Figure {
  data: Bound[];
  layout: Layout;
}

export function figure(template: Template, columns: UnitColumns, choice: FigureChoice): Figure {
  const { objective } = choice;
  const traces = template.traces[choice.color];
  if (!traces) throw new Error(`the units can't be colored by ${choice.color}`);
  const axes = { x: axisColumn(columns, choice.x), y: axisColumn(columns, choice.y) };
  const ofX = valuesOf(axes.x, objective);
  const ofY = valuesOf(axes.y, objective);
  const drawn = drawnUnits(columns, ofX, ofY);
  const scales = { x: axisOf(axes.x, objective).scale, y: axisOf(axes.y, objective).scale };
  const lines = (["x", "y"] as const).map((axis) => {
    const where = scales[axis] === "root" ? PLAIN_VALUES[axis] : axis;
    return `${plain(axes[axis].label)} %{${where}:${template.hover[axes[axis].kind]}}`;
  });
  const about = `<b>unit %{customdata}</b><br>${lines.join("<br>")}`;
  const data = traces.map((trace): Bound => {
    const { of, among, color } = trace.meta;
    const kept = of === undefined ? null : colorColumn(columns, of, objective);
    const mine = kept ? drawn.filter((at) => among?.includes(kept[at] ?? -1)) : drawn;
    const numbers = mine.map((at) => columns.unit[at] ?? at);
    const shade = color === undefined ? null : colorColumn(columns, color, objective);
    return {
      ...trace,
      meta: { ...trace.meta, x: choice.x, y: choice.y },
      x: mine.map((at) => place(ofX[at] ?? 0, scales.x)),
      y: mine.map((at) => place(ofY[at] ?? 0, scales.y)),
      ...(scales.x === "root" ? { [PLAIN_VALUES.x]: mine.map((at) => String(ofX[at])) } : {}),
      ...(scales.y === "root" ? { [PLAIN_VALUES.y]: mine.map((at) => String(ofY[at])) } : {}),
      customdata: numbers,
      // With these plotly follows a unit from one figure to the next.
      ids: numbers.map(String),
      marker: shade ? { ...trace.marker, color: mine.map((at) => shade[at] ?? null) } : trace.marker,
      hovertemplate: `${about}${trace.hovertemplate}`,
    };
  });
  const names = { x: axisName(template, axes.x, objective), y: axisName(template, axes.y, objective) };
  const axis = (which: "x" | "y") => ({
    ...template.layout[`${which}axis`],
    tickformat: template.ticks[axes[which].kind],
    ...spread(axisOf(axes[which], objective), names[which]),
  });
  const { title } = template.layout;
  const text = `<b>${plain(columns.layer)}</b>: ${names.y} against ${names.x}`;
  const said = [correlation(columns, objective, ofX, ofY, drawn)];
  const made = columns.made[objective];
  if (made !== undefined && (isByObjective(axes.x) || isByObjective(axes.y))) said.push(plain(made));
  return {
    data,
    layout: {
      ...template.layout,
      title: { ...title, text, subtitle: { ...title.subtitle, text: said.join("<br>") } },
      xaxis: axis("x"),
      yaxis: axis("y"),
    },
  };
}

function isByObjective(column: Column): boolean {
  return !Array.isArray(column.values);
}

function axisColumn(columns: UnitColumns, name: string): Column {
  const column = columns.columns[name];
  if (!column || column.kind === "class")
    throw new Error(`there is no column ${name} to put on an axis in this layer`);
  return column;
}

function colorColumn(columns: UnitColumns, name: string, objective: string): Value[] {
  const column = columns.columns[name];
  if (!column) throw new Error(`this layer's units can't be colored by ${name}`);
  return valuesOf(column, objective);
}

/** What plotly's axis needs for a scale. */
function spread({ scale, range, ticks }: Axis, name: string): object {
  const own = { title: { text: name }, type: scale === "log" ? "log" : "linear", range };
  if (scale === "log") return { ...own, dtick: logStep(range) };
  if (scale === "linear") return own;
  return {
    ...own,
    title: { text: `${name}, root scale` },
    tickmode: "array",
    tickvals: ticks.map(([at]) => at),
    ticktext: ticks.map(([, text]) => text),
  };
}

/** Ticks at powers of ten, or at 1, 2 and 5 where there are few of those. */
function logStep([low, high]: [number, number]): number | string {
  return high - low > 3 ? 1 : "D2";
}

function drawnUnits(columns: UnitColumns, ofX: Value[], ofY: Value[]): number[] {
  const dead = new Set(columns.dead);
  return [...columns.unit.keys()].filter(
    (at) => !dead.has(columns.unit[at] ?? at) && (ofX[at] ?? null) !== null && (ofY[at] ?? null) !== null,
  );
}

function axisName(template: Template, column: Column, objective: string): string {
  const name = plain(column.label);
  return isByObjective(column) ? `${name} (${template.objectives[objective] ?? plain(objective)})` : name;
}

/** Rho with its interval and the number of units, in words. */
function correlation(
  columns: UnitColumns,
  objective: string,
  ofX: Value[],
  ofY: Value[],
  drawn: number[],
): string {
  const { rho, low, high } = rankCorrelation(
    drawn.map((at) => ofX[at] ?? 0),
    drawn.map((at) => ofY[at] ?? 0),
  );
  const known = [rho, low, high].every(Number.isFinite);
  const said = known
    ? `Spearman’s ρ = ${hundredths(rho)}, 95% interval [${hundredths(low)}, ${hundredths(high)}]`
    : "Spearman’s ρ is not defined";
  const total = columns.unit.length;
  if (drawn.length === total) return `${said}, n = ${total}`;
  const shown = new Set(drawn);
  let out = columns.unit.filter((_, at) => !shown.has(at));
  const reasons: string[] = [];
  const count = (word: string, units: number[]) => {
    const some = out.filter((unit) => units.includes(unit));
    if (some.length) reasons.push(`${some.length} ${word}`);
    out = out.filter((unit) => !units.includes(unit));
  };
  count("dead", columns.dead);
  count("silent", columns.silent[objective] ?? []);
  count("failed", columns.failed[objective] ?? []);
  count("not rendered yet", columns.waiting[objective] ?? []);
  if (out.length) reasons.push(`${out.length} without a value`);
  return `${said}, n = ${drawn.length} of ${total}: ${reasons.join(", ")}`;
}

/** Two decimals and a true minus sign, halves away from zero, as Python's figure has it. */
function hundredths(value: number): string {
  const whole = Math.floor(100 * Math.abs(value) + 0.5);
  const text = `${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
  return value < 0 && whole ? `−${text}` : text;
}

/** Text that someone typed, escaped so that plotly doesn't read it as markup. */
export function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
