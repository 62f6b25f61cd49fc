// Unit scatter, plot: the figure as it appears in the page. Python's figure decides what is drawn; font, colors and size
// are the page's, the title is the page's own text, and the reader's selection stands out.
// In: a bound figure and the page's style. Out: plotly's data and layout.
import { type Bound, type Figure, plain } from "./figure";
import type { PageStyle } from "./page-style";
import { hollowed, unrenderedLane, type Waiting } from "./unrendered-lane";

/** What a drag in the plot does at first; the reader's choice in its toolbar survives every redraw. */
export const FIRST_TOOL = "select";

/** Below this width the legend is under the plot, in columns as wide as the longest class's name and its mark. */
const NARROW = 560;
const COLUMN = 112;
const MARK = 40;
const LETTER = 7;
const ROW = 19;
/** The height of a colorbar with its numbers. */
const BAR = 70;

export function pageFigure(
  figure: Figure,
  style: PageStyle,
  selected: readonly number[],
  revision: string,
  tool: string = FIRST_TOOL,
  waiting?: Waiting,
): Figure {
  const chosen = new Set(selected);
  const narrow = style.width < NARROW;
  const sides = { l: 64, r: narrow ? 12 : 16 };
  const across = style.width - sides.l - sides.r;
  const below = narrow ? roomBelow(figure, across) : 0;
  const axis = { linecolor: style.line, tickcolor: style.line, gridcolor: style.line, color: style.text };
  // At the very bottom, so that it never overlaps the axis's name, however low the plot.
  const bottom = { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", title: { text: "" } };
  const { title: _, ...layout } = figure.layout;
  const margin = { ...sides, t: 30, b: 46 + below };
  const room = style.height + below - margin.t - margin.b;
  const apart = waiting && unrenderedLane(figure, waiting, style, room);
  const more = (apart?.layout ?? {}) as Record<string, object>;
  const without = new Set(waiting?.layer.table.waiting[waiting.objective]);
  const marked = figure.data.map((trace) => hollowed(trace, without));
  return {
    data: [...marked, ...(apart?.data ?? [])].map((trace: Bound) => ({
      ...trace,
      ...(narrow && "name" in trace ? { name: shortened(String(trace.name), across) } : {}),
      hoverinfo: "none",
      hovertemplate: "",
      marker: {
        ...trace.marker,
        // The outline separates dark colors from a dark page, and light ones from a light page.
        line: { ...(trace.marker.line as object), color: style.quiet },
        ...("colorbar" in trace.marker ? { colorbar: bar(trace.marker.colorbar, style) } : {}),
      },
      // A class without a unit in this layer needs no entry in the legend.
      showlegend: Boolean(trace.showlegend) && trace.customdata.length > 0,
      selectedpoints:
        chosen.size > 0 ? trace.customdata.flatMap((unit, at) => (chosen.has(unit) ? [at] : [])) : null,
      selected: { marker: { opacity: 1 } },
      unselected: { marker: { opacity: 0.16 } },
    })) as Figure["data"],
    layout: {
      ...layout,
      ...more,
      width: style.width,
      height: style.height + below,
      margin,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.font, size: 12, color: style.text },
      legend: { ...(layout.legend as object), ...(narrow ? bottom : {}), bgcolor: "rgba(0,0,0,0)" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: style.quiet, activecolor: style.text },
      xaxis: { ...layout.xaxis, ...axis, ...more.xaxis },
      yaxis: { ...layout.yaxis, ...axis, ...more.yaxis },
      dragmode: tool,
      // The reader's zoom survives everything but a change of axes.
      uirevision: revision,
      selections: [],
      newselection: { line: { color: style.text, width: 1, dash: "dot" } },
    } as unknown as Figure["layout"],
  };
}

/** The height of a legend, or a colorbar, under a narrow plot of this width. */
function roomBelow(figure: Figure, width: number): number {
  const named = figure.data.filter((trace) => trace.showlegend && trace.customdata.length > 0);
  const letters = named.map((trace) => plainTitle(shortened(String(trace.name ?? ""), width)).length);
  const column = Math.max(COLUMN, MARK + LETTER * Math.max(0, ...letters));
  const rows = Math.ceil(named.length / Math.max(1, Math.floor(width / column)));
  if (named.length > 0) return 14 + ROW * rows;
  return figure.data.some((trace) => "colorbar" in trace.marker) ? BAR : 0;
}

/** A class's name, cut where it would not fit into a legend of this width. */
function shortened(name: string, width: number): string {
  const text = plainTitle(name);
  const most = Math.max(8, Math.floor((width - MARK) / LETTER));
  return text.length <= most ? name : plain(`${text.slice(0, most - 1)}…`);
}

function bar(given: unknown, style: PageStyle): object {
  const flat = style.width < NARROW;
  const below = { orientation: "h", y: 0, yref: "container", yanchor: "bottom", len: 0.9, thickness: 10 };
  return { ...(given as object), tickcolor: style.line, ...(flat ? below : {}) };
}

/** One of plotly's titles as plain text: without markup, and with escaped characters restored. */
export function plainTitle(marked: string): string {
  return marked
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
