// The checklist: film strips, decoded when a cell that has one is opened. What did not come with the page is asked of
// the kernel then.
import { Changing } from "../shared/changing";
import { onEnd } from "../shared/lifetime";
import type { Requests } from "../shared/requests";
import { mosaic, reasonOf } from "../shared/sprites";

export type Sprite =
  | { state: "waiting"; reason: string }
  | { state: "ready"; bitmap: ImageBitmap }
  | { state: "absent"; reason: string };

export class Strips extends Changing {
  #sent: readonly DataView[];
  #requests: Requests;
  #sprites = new Map<number, Sprite>();
  #ended = false;

  constructor(sent: readonly DataView[], requests: Requests, signal: AbortSignal) {
    super(signal);
    this.#sent = sent;
    this.#requests = requests;
    onEnd(signal, () => {
      this.#ended = true;
      for (const sprite of this.#sprites.values()) if (sprite.state === "ready") sprite.bitmap.close();
    });
  }

  of(at: number): Sprite {
    const known = this.#sprites.get(at);
    if (known) return known;
    const here = (this.#sent[at]?.byteLength ?? 0) > 0;
    const waiting: Sprite = { state: "waiting", reason: here ? "" : "loading from the kernel…" };
    this.#sprites.set(at, waiting);
    void this.#load(at);
    return waiting;
  }

  /** Ask again for what could not be had. */
  retry(): void {
    for (const [at, sprite] of [...this.#sprites]) if (sprite.state === "absent") this.#sprites.delete(at);
    this.tell();
  }

  async #load(at: number): Promise<void> {
    try {
      const bitmap = await mosaic(this.#sent[at], at, this.#requests, "this film");
      if (this.#ended) bitmap.close();
      else this.#sprites.set(at, { state: "ready", bitmap });
    } catch (error) {
      this.#sprites.set(at, { state: "absent", reason: reasonOf(error) });
    }
    this.tell();
  }
}
