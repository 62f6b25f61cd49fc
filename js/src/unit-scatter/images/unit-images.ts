// Unit scatter, images: every image of every unit, from the widget's pages or arrived since.
// In: the pages' bytes; the kernel is asked for missing ones. Out: where an image of a unit is, or why there is none.

import { ImagePages, KEPT } from "../../shared/image-pages";
import { onEnd } from "../../shared/lifetime";
import { Observable } from "../../shared/observable";
import type { Requests } from "../../shared/requests";
import type { Cells } from "../../shared/sprites";
import { countOf, type Layer } from "../data/units";
import { ArrivedImages } from "./arrived-images";

export type UnitImage =
  | { state: "ready"; bitmap: ImageBitmap; cells: Cells; at: number }
  | { state: "waiting"; reason: string }
  | { state: "absent"; reason: string };

export class UnitImages extends Observable {
  readonly #pages: ImagePages;
  /** Images that arrived one by one; they are newer than those of the pages. */
  readonly arrived = new ArrivedImages(() => this.emit());

  constructor(sent: readonly DataView[], requests: Requests, signal: AbortSignal) {
    super(signal);
    this.#pages = new ImagePages(sent, requests, "this image", signal);
    this.#pages.subscribe(() => this.emit(), signal);
    onEnd(signal, () => this.arrived.end());
  }

  /**
   * One image of a unit: an objective's image for the eye, the measured one, or the exemplar of that `rank`.
   * Undefined where the record has none.
   */
  of(layer: Layer, kind: string, unit: number, rank = 0): UnitImage | undefined {
    const sheet = layer.sheets[kind];
    if (!sheet || layer.shown[kind]?.missing[unit] !== undefined) return undefined;
    if (this.arrived.has(layer.table.layer, kind, unit)) {
      const bitmap = this.arrived.of(layer.table.layer, kind, unit);
      return bitmap
        ? { state: "ready", bitmap, cells: { ...sheet.cells, columns: 1 }, at: 0 }
        : { state: "waiting", reason: "" };
    }
    const page = this.#pages.of(sheet.first + Math.floor(unit / sheet.unitsPerPage));
    if (page.state !== "ready") return page;
    const at = (unit % sheet.unitsPerPage) * sheet.perUnit + rank;
    return { state: "ready", bitmap: page.bitmap, cells: sheet.cells, at };
  }

  /** Decodes the page of a unit's image ahead of time, where it came with the widget. */
  warm(layer: Layer, kind: string, unit: number): void {
    const sheet = layer.sheets[kind];
    const at = sheet && sheet.first + Math.floor(unit / sheet.unitsPerPage);
    if (at !== undefined && this.#pages.has(at)) this.#pages.of(at);
  }

  /** Decodes a layer's pages ahead of time, as many as are kept at once. */
  prepare(layer: Layer): void {
    for (const objective of layer.table.objectives) {
      const sheet = layer.sheets[objective];
      if (!sheet) continue;
      const pages = Math.ceil(countOf(layer) / sheet.unitsPerPage);
      for (let at = 0; at < Math.min(pages, KEPT / 4); at++)
        if (this.#pages.has(sheet.first + at)) this.#pages.of(sheet.first + at);
    }
  }

  /** Asks again for what could not be loaded. */
  retry(): void {
    this.#pages.retry();
  }
}
