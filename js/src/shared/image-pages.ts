// Shared: pages of images, decoded when they are first needed.
// In: the pages that came with the widget; the kernel is asked for the others. Out: bitmaps. The least recently used ones
// are closed, so that large records fit into a browser's memory.

import { onEnd } from "./lifetime";
import { Observable } from "./observable";
import type { Requests } from "./requests";
import { mosaic, reasonOf } from "./sprites";

export type ImagePage =
  | { state: "waiting"; reason: string }
  | { state: "ready"; bitmap: ImageBitmap }
  | { state: "absent"; reason: string };

/** A page is about 2^18 pixels, so this many take about 100 MB. */
export const KEPT = 96;

export class ImagePages extends Observable {
  readonly #sent: readonly DataView[];
  readonly #requests: Requests;
  /** Least recently used first. */
  readonly #pages = new Map<number, ImagePage>();
  #ended = false;

  /** `what`: how error messages name an image, such as "this film". */
  constructor(
    sent: readonly DataView[],
    requests: Requests,
    readonly what: string,
    signal: AbortSignal,
  ) {
    super(signal);
    this.#sent = sent;
    this.#requests = requests;
    onEnd(signal, () => {
      this.#ended = true;
      for (const page of this.#pages.values()) if (page.state === "ready") page.bitmap.close();
      this.#pages.clear();
    });
  }

  /** Whether a page came with the widget. */
  has(at: number): boolean {
    return (this.#sent[at]?.byteLength ?? 0) > 0;
  }

  of(at: number): ImagePage {
    const known = this.#pages.get(at);
    const reason = this.has(at) ? "" : "loading from the kernel…";
    const page: ImagePage = known ?? { state: "waiting", reason };
    // To the end of the order: it is now the most recently used.
    this.#pages.delete(at);
    this.#pages.set(at, page);
    if (!known && !this.#ended) void this.#load(at);
    return page;
  }

  /** Asks again for what could not be loaded. */
  retry(): void {
    for (const [at, page] of [...this.#pages]) if (page.state === "absent") this.#pages.delete(at);
    this.emit();
  }

  async #load(at: number): Promise<void> {
    try {
      const bitmap = await mosaic(this.#sent[at], at, this.#requests, this.what);
      if (this.#ended) bitmap.close();
      else this.#set(at, { state: "ready", bitmap });
    } catch (error) {
      this.#set(at, { state: "absent", reason: reasonOf(error) });
    }
  }

  #set(at: number, page: ImagePage): void {
    if (this.#ended) return;
    this.#pages.set(at, page);
    const ready = [...this.#pages].filter(([, one]) => one.state === "ready");
    for (const [old, one] of ready.slice(0, Math.max(0, ready.length - KEPT))) {
      if (one.state === "ready") one.bitmap.close();
      this.#pages.delete(old);
    }
    this.emit();
  }
}
