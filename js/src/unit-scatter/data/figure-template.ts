// Unit scatter, data: the plot's template that Python sends: traces, axes and words, still without a layer's numbers.

/** What a trace is bound to: columns by name, and where it holds only some units, which value of which column. */
export interface Meta {
  x: string;
  y: string;
  color?: string;
  of?: string;
  among?: number[];
}

export interface Trace {
  meta: Meta;
  hovertemplate: string;
  marker: Record<string, unknown>;
  [key: string]: unknown;
}

export interface Layout {
  title: { text: string; subtitle: { text: string; [key: string]: unknown }; [key: string]: unknown };
  xaxis: Record<string, unknown>;
  yaxis: Record<string, unknown>;
  [key: string]: unknown;
}

/** What tunewidgets.figures.unit_scatter_template makes of a record. */
export interface Template {
  traces: Record<string, Trace[]>;
  layout: Layout;
  hover: Record<string, string>;
  ticks: Record<string, string>;
  objectives: Record<string, string>;
}
