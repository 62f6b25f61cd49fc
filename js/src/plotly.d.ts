// The part of plotly.js' basic bundle that is used here; the bundle itself carries no types.
declare module "plotly.js-basic-dist-min" {
  export type Json = Record<string, unknown>;

  /** An axis as plotly.js keeps it on a drawn figure: `l2p` and `d2p` give pixels from the plot area's corner. */
  export interface DrawnAxis {
    _offset: number;
    _length: number;
    d2p(value: unknown): number;
  }

  export interface PlotElement extends HTMLElement {
    _fullLayout?: { xaxis?: DrawnAxis; yaxis?: DrawnAxis; yaxis2?: DrawnAxis; dragmode?: string };
    on(event: string, listener: (event: PlotEvent) => void): void;
    removeAllListeners(event: string): void;
  }

  export interface PlotEvent {
    event?: MouseEvent;
    points?: { customdata?: unknown; curveNumber: number; pointIndex: number }[];
  }

  export interface Plotly {
    react(root: HTMLElement, data: Json[], layout: Json, config?: Json): Promise<PlotElement>;
    restyle(root: HTMLElement, update: Json, traces?: number[]): Promise<PlotElement>;
    relayout(root: HTMLElement, update: Json): Promise<PlotElement>;
    downloadImage(root: HTMLElement, options: Json): Promise<string>;
    purge(root: HTMLElement): void;
  }

  const plotly: Plotly;
  export default plotly;
}
