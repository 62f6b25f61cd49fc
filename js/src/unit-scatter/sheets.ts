// The scatter: decoded pages of images. A page that came with the widget is decoded when it is first wanted; one that
// did not is asked of the kernel. The least used ones are let go, so that large layers fit a browser's memory.
import { Changing } from "../shared/changing";
import { onEnd } from "../shared/lifetime";
import type { Requests } from "../shared/requests";
import { type Cells, mosaic, reasonOf } from "../shared/sprites";
import { OwnImages } from "./own-images";
import { countOf, type Layer } from "./units";

export type Image =
  | { state: "ready"; bitmap: ImageBitmap; cells: Cells; at: number }
  | { state: "waiting"; reason: string }
  | { state: "absent"; reason: string };

type Page =
  | { state: "decoding" }
  | { state: "asking" }
  | { state: "ready"; bitmap: ImageBitmap }
  | { state: "absent"; reason: string };

/** A page is about 2^18 pixels, so this many hold some 100 MB. */
const KEPT = 96;

export class Sheets extends Changing {
  #sent: readonly DataView[];
  #requests: Requests;
  /** In the order in which they were last wanted. */
  #pages = new Map<number, Page>();
  #ended = false;
  /** Those that came one by one; they are newer than what the pages hold. */
  readonly own = new OwnImages(() => this.tell());

  constructor(sent: readonly DataView[], requests: Requests, signal: AbortSignal) {
    super(signal);
    this.#sent = sent;
    this.#requests = requests;
    onEnd(signal, () => {
      this.#ended = true;
      for (const page of this.#pages.values()) if (page.state === "ready") page.bitmap.close();
      this.#pages.clear();
      this.own.end();
    });
  }

  /** One image of a unit: of an objective, or the exemplar of that `rank`. Undefined where the record has none. */
  of(layer: Layer, kind: string, unit: number, rank = 0): Image | undefined {
    const sheet = layer.sheets[kind];
    if (!sheet || layer.shown[kind]?.missing[unit] !== undefined) return undefined;
    if (this.own.has(layer.table.layer, kind, unit)) {
      const bitmap = this.own.of(layer.table.layer, kind, unit);
      return bitmap
        ? { state: "ready", bitmap, cells: { ...sheet.cells, columns: 1 }, at: 0 }
        : { state: "waiting", reason: "" };
    }
    const page = this.#want(sheet.first + Math.floor(unit / sheet.unitsPerPage));
    if (page.state === "ready") {
      const at = (unit % sheet.unitsPerPage) * sheet.perUnit + rank;
      return { state: "ready", bitmap: page.bitmap, cells: sheet.cells, at };
    }
    if (page.state === "absent") return { state: "absent", reason: page.reason };
    return { state: "waiting", reason: page.state === "asking" ? "loading from the kernel…" : "" };
  }

  /** Decodes a layer's pages before anybody asks, as many as are kept at once. */
  prepare(layer: Layer): void {
    for (const objective of layer.table.objectives) {
      const sheet = layer.sheets[objective];
      if (!sheet) continue;
      const pages = Math.ceil(countOf(layer) / sheet.unitsPerPage);
      for (let at = 0; at < Math.min(pages, KEPT / 4); at++)
        if (this.#sent[sheet.first + at]?.byteLength) this.#want(sheet.first + at);
    }
  }

  /** Ask again for what could not be had. */
  retry(): void {
    for (const [at, page] of [...this.#pages]) if (page.state === "absent") this.#pages.delete(at);
    this.tell();
  }

  #want(at: number): Page {
    const known = this.#pages.get(at);
    const bytes = this.#sent[at];
    const page: Page = known ?? { state: bytes?.byteLength ? "decoding" : "asking" };
    // To the end of the order: it is the one wanted last.
    this.#pages.delete(at);
    this.#pages.set(at, page);
    if (!known && !this.#ended) void this.#load(at, bytes);
    return page;
  }

  async #load(at: number, sent: DataView | undefined): Promise<void> {
    try {
      const bitmap = await mosaic(sent, at, this.#requests, "this image");
      if (this.#ended) bitmap.close();
      else this.#set(at, { state: "ready", bitmap });
    } catch (error) {
      this.#set(at, { state: "absent", reason: reasonOf(error) });
    }
  }

  #set(at: number, page: Page): void {
    if (this.#ended) return;
    this.#pages.set(at, page);
    const ready = [...this.#pages].filter(([, one]) => one.state === "ready");
    for (const [old, one] of ready.slice(0, Math.max(0, ready.length - KEPT))) {
      if (one.state === "ready") one.bitmap.close();
      this.#pages.delete(old);
    }
    this.tell();
  }
}
