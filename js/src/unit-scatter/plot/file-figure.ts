// Unit scatter, plot: the figure for a saved file, as Python draws it: on white, with its title, and with images where they
// are shown (tunewidgets/figures/scatter_images.py has the same sizes).
// In: the bound figure, units in order of priority, and a unit's image as an address. Out: a figure with its size.

import type { ScreenPoint } from "../state/nearest-unit";
import type { Figure } from "./figure";
import { placedImages, SIDE } from "./image-placement";

const PLAIN = { width: 760, height: 520 };
const LARGE = { width: 960, height: 680 };
/** What margins and a legend leave for the plot, in pixels. */
const PLOT = [740, 520] as const;

export interface FileFigure {
  data: Figure["data"];
  layout: Record<string, unknown>;
  width: number;
  height: number;
}

export function fileFigure(
  { data, layout }: Figure,
  order: readonly number[],
  source: (unit: number) => string | undefined,
): FileFigure {
  if (order.length === 0) return { data, layout, ...PLAIN };
  const shares: ScreenPoint[] = [];
  for (const trace of data)
    trace.customdata.forEach((unit, at) => {
      shares[unit] = [share(layout.xaxis, trace.x[at] ?? 0), share(layout.yaxis, trace.y[at] ?? 0)];
    });
  const places = Array.from(shares, (one) => one && ([one[0] * PLOT[0], one[1] * PLOT[1]] as const));
  const images = placedImages(places, order).flatMap((unit) => {
    const [x, y] = shares[unit] ?? [0, 0];
    const image = source(unit);
    return image === undefined ? [] : [{ ...IMAGE, source: image, x, y }];
  });
  return { data, layout: { ...layout, images }, ...LARGE };
}

const IMAGE = {
  xref: "x domain",
  yref: "y domain",
  xanchor: "center",
  yanchor: "middle",
  sizex: SIDE / PLOT[0],
  sizey: SIDE / PLOT[1],
  layer: "above",
};

function share(axis: Record<string, unknown>, value: number): number {
  const [low, high] = axis.range as [number, number];
  return ((axis.type === "log" ? Math.log10(value) : value) - low) / (high - low);
}
