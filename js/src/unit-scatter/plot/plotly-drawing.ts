// Unit scatter, plot: plotly.js in one element.
// In: the figure, whenever the reader's choice changes. Out: the drawing, every unit's point on the screen, and plotly's
// events as clicks, hovers and selections of units.
import type { Json, PlotElement, PlotEvent, Plotly } from "plotly.js-basic-dist-min";
import { countOf, type Layer } from "../data/units";
import type { ScreenPoint } from "../state/nearest-unit";
import type { View } from "../state/view";
import { type Figure, figure } from "./figure";
import { fileFigure } from "./file-figure";
import { imageOrder, paint } from "./image-layer";
import { imageAt, SIDE } from "./image-placement";
import { pageFigure } from "./page-figure";
import type { PageStyle } from "./page-style";
import { fly } from "./point-flight";
import { unitColors } from "./unit-colors";

const CAMERA = {
  width: 1000,
  height: 1000,
  path: "M500 40v500m-190-190l190 190 190-190M120 660v240h760v-240",
};

/**
 * plotly.js, in this same file, runs when the first figure is drawn and not before: it takes longer to begin than all else
 * here, and a busy page has two seconds to begin a widget's model, or anywidget never lets the kernel's messages through.
 */
const beginPlotly = async (): Promise<Plotly> => (await import("plotly.js-basic-dist-min")).default;

/** Pixels of an image in a file, and the color of its frame where units have none. */
const DETAIL = 144;
const PLAIN = "#767676";

/** The figure for a view's choice; the last one is kept, because its ρ takes a thousand draws. */
export class Figures {
  #key = "";
  #last: Figure | undefined;

  of(view: View): { key: string; figure: Figure } {
    const { layer, state, units } = view.scatter;
    const { x, y, objective } = state;
    const key = JSON.stringify([layer.table.layer, objective, x, y, state.color, view.scatter.revision]);
    if (key !== this.#key || !this.#last) {
      this.#last = figure(units.template, layer.table, { x, y, objective, color: state.color ?? "none" });
      this.#key = key;
    }
    return { key, figure: this.#last };
  }
}

export class Drawing {
  readonly #view: View;
  readonly #host: PlotElement;
  readonly #canvas: HTMLCanvasElement;
  #plotly: Plotly | undefined;
  #drawn = "";
  #axes = "";
  #objective = "";
  #listening = false;
  #bound: Figure | undefined;
  /** The traces in the page, including those of units without an image. */
  #shown: Figure["data"] = [];
  #stop: () => void = () => undefined;

  constructor(host: HTMLElement, canvas: HTMLCanvasElement, view: View) {
    this.#host = host as PlotElement;
    this.#canvas = canvas;
    this.#view = view;
  }

  /** Draws the current choice, unless it is drawn already. */
  async draw(bound: Figure, key: string, style: PageStyle): Promise<void> {
    const { state, layer } = this.#view.scatter;
    const all = JSON.stringify([key, style, state.selected, state.images]);
    if (all === this.#drawn) return;
    const axes = JSON.stringify([state.layer, state.x, state.y]);
    const moved = this.#listening && axes === this.#axes && state.objective !== this.#objective;
    const before = this.#view.places;
    this.#drawn = all;
    this.#axes = axes;
    this.#objective = state.objective;
    this.#bound = bound;
    this.#stop();
    const tool = this.#host._fullLayout?.dragmode;
    const waiting = { layer, objective: state.objective };
    const { data, layout } = pageFigure(bound, style, state.selected, axes, tool, waiting);
    this.#shown = data;
    // So that a unit's point is within reach from the corners of its image.
    if (state.images) layout.hoverdistance = SIDE;
    this.#plotly ??= await beginPlotly();
    // Ended, or asked for another figure, while plotly.js began.
    if (this.#view.signal.aborted || all !== this.#drawn) return;
    await this.#plotly.react(this.#host, data as unknown as Json[], layout as Json, this.#config(layer));
    if (this.#view.signal.aborted) return;
    if (!this.#listening) this.#listen();
    this.#place();
    if (moved) this.#stop = fly(this.#host, this.#canvas, before, this.#view.places, unitColors(bound));
    this.#view.clock.painted();
  }

  end(): void {
    this.#stop();
    this.#plotly?.purge(this.#host);
  }

  #config(layer: Layer): Json {
    const download = {
      name: "svg",
      title: "Save as SVG",
      icon: CAMERA,
      click: () => this.#save(layer),
    };
    return {
      displaylogo: false,
      displayModeBar: true,
      showTips: false,
      doubleClick: "reset+autosize",
      modeBarButtons: [["select2d", "lasso2d", "zoom2d", "resetScale2d"], [download]],
    };
  }

  /** Saves the figure as Python draws it: on white, with its title, and with images if they are shown. */
  #save(layer: Layer): void {
    if (!this.#bound) return;
    const { x, y } = this.#view.scatter.state;
    const filename = `${layer.table.layer} ${y} ${x}`.replace(/[^\w.-]+/g, "-");
    const colors = unitColors(this.#bound);
    const source = (unit: number) => this.#source(unit, colors[unit] ?? PLAIN);
    const { width, height, ...whole } = fileFigure(this.#bound, imageOrder(this.#view), source);
    void this.#plotly?.downloadImage(whole as unknown as HTMLElement, {
      format: "svg",
      width,
      height,
      filename,
    });
  }

  /** A unit's image as a data address; undefined while there is none. */
  #source(unit: number, color: string): string | undefined {
    const canvas = document.createElement("canvas");
    canvas.width = DETAIL;
    canvas.height = DETAIL;
    const context = canvas.getContext("2d");
    return context && paint(context, this.#view, unit, color, 0, 0, DETAIL)
      ? canvas.toDataURL("image/png")
      : undefined;
  }

  #listen(): void {
    this.#listening = true;
    const { scatter } = this.#view;
    const host = this.#host;
    host.on("plotly_click", (event) => {
      const unit = this.#under(event);
      if (unit === undefined) return;
      scatter.open(unit);
      this.#view.set({ hint: undefined });
      host.parentElement?.focus({ preventScroll: true });
    });
    host.on("plotly_hover", (event) => {
      const unit = this.#under(event);
      if (unit !== undefined) this.#view.set({ hint: { unit, by: "mouse" } });
    });
    host.on("plotly_unhover", () => {
      if (this.#view.hint?.by === "mouse") this.#view.set({ hint: undefined });
    });
    // A plain click reports an empty selection; only a box or a lasso reports points.
    host.on("plotly_selected", (event) => {
      if (event?.points) scatter.select(event.points.map((point) => Number(point.customdata)));
    });
    host.on("plotly_deselect", () => scatter.select([]));
    for (const event of ["plotly_relayout", "plotly_relayouting"]) host.on(event, () => this.#place());
  }

  /** The unit whose image is under the mouse, whatever points it covers; otherwise the point that plotly found. */
  #under(event: PlotEvent): number | undefined {
    const { places, imageUnits } = this.#view;
    const { left, top } = this.#host.getBoundingClientRect();
    const { clientX, clientY } = event.event ?? { clientX: Number.NaN, clientY: Number.NaN };
    return imageAt(places, imageUnits, clientX - left, clientY - top) ?? unitOf(event);
  }

  #place(): void {
    const { xaxis, yaxis: upper, yaxis2: lower } = this.#host._fullLayout ?? {};
    if (!xaxis || !upper) return;
    const places: ScreenPoint[] = Array.from({ length: countOf(this.#view.scatter.layer) }, () => null);
    for (const trace of this.#shown) {
      const yaxis = trace.yaxis === "y2" && lower ? lower : upper;
      trace.customdata.forEach((unit, at) => {
        const [x, y] = [xaxis.d2p(trace.x[at]), yaxis.d2p(trace.y[at])];
        const inside = x >= -1 && y >= -1 && x <= xaxis._length + 1 && y <= yaxis._length + 1;
        if (inside) places[unit] = [xaxis._offset + x, yaxis._offset + y];
      });
    }
    if (JSON.stringify(places) !== JSON.stringify(this.#view.places)) this.#view.set({ places });
  }
}

function unitOf(event: PlotEvent): number | undefined {
  const unit = event.points?.[0]?.customdata;
  return typeof unit === "number" ? unit : undefined;
}
