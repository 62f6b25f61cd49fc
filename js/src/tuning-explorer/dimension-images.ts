// Tuning explorer: one decoded mosaic per dimension.
// In: the mosaics that came with the page; the kernel is asked for the others, one at a time, the active dimension's first.
// Out: bitmaps, or why there are none.

import { onEnd } from "../shared/lifetime";
import { Observable } from "../shared/observable";
import type { Requests } from "../shared/requests";
import { decode, reasonOf } from "../shared/sprites";

export type Sprite =
  | { state: "decoding" }
  | { state: "loading" }
  | { state: "ready"; bitmap: ImageBitmap }
  | { state: "none"; reason: string }
  | { state: "absent"; reason: string };

export class DimensionImages extends Observable {
  #sprites: Sprite[];
  #requests: Requests;
  #preferred: number;
  #asking = false;
  #ended = false;

  /**
   * `sent`: one encoded mosaic per dimension, empty where the kernel kept it; `statuses`: why there is none at all;
   * `kind`: what to ask the kernel for.
   */
  constructor(
    sent: readonly DataView[],
    statuses: readonly string[],
    requests: Requests,
    preferred: number,
    signal: AbortSignal,
    readonly kind: "sprite" | "patches" = "sprite",
  ) {
    super(signal);
    this.#requests = requests;
    this.#preferred = preferred;
    this.#sprites = statuses.map((reason, at) => {
      if (reason) return { state: "none", reason };
      return { state: sent[at]?.byteLength ? "decoding" : "loading" };
    });
    onEnd(signal, () => this.#end());
    const order = sent.map((_, at) => at).sort((a, b) => Number(b === preferred) - Number(a === preferred));
    for (const at of order) {
      const bytes = sent[at];
      if (bytes && this.#sprites[at]?.state === "decoding") void this.#decode(at, bytes);
    }
    void this.#askForMissing();
  }

  of(dimension: number): Sprite {
    return this.#sprites[dimension] ?? { state: "none", reason: "no such dimension" };
  }

  /** Asks for the missing images of this dimension first. */
  prefer(dimension: number): void {
    this.#preferred = dimension;
  }

  /** Asks again for what could not be loaded. */
  retry(): void {
    this.#sprites.forEach((sprite, at) => {
      if (sprite.state === "absent") this.#set(at, { state: "loading" });
    });
    void this.#askForMissing();
  }

  async #decode(at: number, bytes: DataView): Promise<void> {
    try {
      const bitmap = await decode(bytes);
      if (this.#ended) bitmap.close();
      else this.#set(at, { state: "ready", bitmap });
    } catch (error) {
      this.#set(at, { state: "absent", reason: `these images can't be decoded (${String(error)})` });
    }
  }

  async #askForMissing(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    for (let at = this.#nextMissing(); at >= 0 && !this.#ended; at = this.#nextMissing()) {
      try {
        const [bytes] = await this.#requests.ask({ kind: this.kind, dimension: at });
        if (!bytes) throw new Error("the kernel sent no image");
        await this.#decode(at, bytes);
      } catch (error) {
        this.#giveUp(reasonOf(error));
      }
    }
    this.#asking = false;
  }

  #nextMissing(): number {
    if (this.#sprites[this.#preferred]?.state === "loading") return this.#preferred;
    return this.#sprites.findIndex((sprite) => sprite.state === "loading");
  }

  // One failure settles everything that is still missing: the rest would only fail in turn.
  #giveUp(reason: string): void {
    this.#sprites.forEach((sprite, at) => {
      if (sprite.state === "loading")
        this.#set(at, { state: "absent", reason: `not in this page; ${reason}` });
    });
  }

  #set(at: number, sprite: Sprite): void {
    if (this.#ended) return;
    this.#sprites[at] = sprite;
    this.emit();
  }

  #end(): void {
    this.#ended = true;
    for (const sprite of this.#sprites) if (sprite.state === "ready") sprite.bitmap.close();
  }
}
