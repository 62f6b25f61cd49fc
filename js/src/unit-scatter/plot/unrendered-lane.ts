// Unit scatter, plot: units without an image so far. Where both axes are known without one, they stand at their point,
// hollow; otherwise in a lane of their own along the x axis, hollow too, so that they can be seen, hovered, selected and
// clicked.
// In: a figure, the layer and its waiting units. Out: the figure's traces with hollow marks, and the lane's trace.

import { axisOf, place, valuesOf } from "../data/columns";
import { countOf, type Layer } from "../data/units";
import type { Bound, Figure } from "./figure";
import type { PageStyle } from "./page-style";

export interface Waiting {
  layer: Layer;
  /** The objective whose images are shown: a unit waits here until it has one. */
  objective: string;
}

/** The heights of the lane, and of the gap above it that holds its name, in pixels. */
const LANE = 30;
const GAP = 22;
/** More units than this would hide one another on one line. */
const CROWD = 40;
const GOLDEN = 0.618034;

/** Waiting units that are not in the figure. */
export function laneUnits(figure: Figure, { layer, objective }: Waiting): number[] {
  const mine = layer.table.waiting[objective] ?? [];
  if (mine.length === 0) return [];
  const drawn = new Set(figure.data.flatMap((trace) => trace.customdata));
  const dead = new Set(layer.table.dead);
  return mine.filter((unit) => !drawn.has(unit) && !dead.has(unit));
}

/** Makes the marks of units without an image hollow. */
export function hollowed(trace: Bound, units: ReadonlySet<number>): Bound {
  if (!trace.customdata.some((unit) => units.has(unit))) return trace;
  const plain = String(trace.marker.symbol ?? "circle");
  const symbol = trace.customdata.map((unit) => (units.has(unit) ? `${plain}-open` : plain));
  return { ...trace, marker: { ...trace.marker, symbol } };
}

/** The lane's trace and what the layout needs for it; the plot's own part of the height shrinks. */
export function unrenderedLane(
  figure: Figure,
  waiting: Waiting,
  style: PageStyle,
  room: number,
): { data: Bound[]; layout: object } {
  const units = laneUnits(figure, waiting);
  if (units.length === 0) return { data: [], layout: {} };
  const { x, y } = figure.data[0]?.meta ?? { x: "", y: "" };
  const [top, line] = [(LANE + GAP) / room, LANE / room];
  const axis = { range: [0, 1], fixedrange: true, showgrid: false, zeroline: false, showline: false };
  const own: Bound = {
    type: "scatter",
    mode: "markers",
    name: "not rendered yet",
    showlegend: false,
    cliponaxis: false,
    meta: { x, y },
    hovertemplate: "",
    xaxis: "x",
    yaxis: "y2",
    x: places(units, figure, waiting, x),
    y: units.map((unit) => (units.length > CROWD ? 0.12 + 0.76 * ((unit * GOLDEN) % 1) : 0.5)),
    customdata: units,
    ids: units.map(String),
    marker: { symbol: "circle-open", color: style.quiet, size: 9, line: { width: 1.4, color: style.quiet } },
  };
  return {
    data: [own],
    layout: {
      xaxis: { anchor: "y2" },
      yaxis: { domain: [top, 1] },
      yaxis2: { ...axis, domain: [0, line], anchor: "x", ticks: "", showticklabels: false },
      shapes: [
        {
          type: "rect",
          xref: "paper",
          yref: "paper",
          x0: 0,
          x1: 1,
          y0: 0,
          y1: line,
          layer: "below",
          fillcolor: style.line,
          opacity: 0.35,
          line: { width: 0 },
        },
      ],
      annotations: [
        {
          text: `not rendered yet: ${units.length} of ${countOf(waiting.layer)}`,
          xref: "paper",
          yref: "paper",
          x: 0,
          y: line,
          xanchor: "left",
          yanchor: "bottom",
          showarrow: false,
          font: { size: 11, color: style.quiet },
        },
      ],
    },
  };
}

/** Positions along the x axis where its column is known without an image, otherwise side by side. */
function places(units: number[], figure: Figure, { layer, objective }: Waiting, name: string): number[] {
  const column = layer.table.columns[name];
  const values = column ? valuesOf(column, objective) : [];
  const scale = column ? axisOf(column, objective).scale : "linear";
  const [low, high] = (figure.layout.xaxis.range ?? [0, 1]) as [number, number];
  return units.map((unit, at) => {
    const spread = low + ((high - low) * (at + 0.5)) / units.length;
    const known = values[unit] ?? null;
    return known === null ? (scale === "log" ? 10 ** spread : spread) : place(known, scale);
  });
}
