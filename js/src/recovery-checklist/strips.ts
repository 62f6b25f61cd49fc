// The checklist: film strips, decoded when a cell that has one is opened. What did not come with the page is asked of
// the kernel then.
import { onEnd } from "../shared/lifetime";
import type { Requests } from "../shared/requests";
import { decode } from "../shared/sprites";

export type Sprite =
  | { state: "waiting"; reason: string }
  | { state: "ready"; bitmap: ImageBitmap }
  | { state: "absent"; reason: string };

export class Strips {
  #sent: readonly DataView[];
  #requests: Requests;
  #sprites = new Map<number, Sprite>();
  #listeners = new Set<() => void>();
  #ended = false;

  constructor(sent: readonly DataView[], requests: Requests, signal: AbortSignal) {
    this.#sent = sent;
    this.#requests = requests;
    onEnd(signal, () => {
      this.#ended = true;
      this.#listeners.clear();
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
    this.#tell();
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onEnd(signal, () => this.#listeners.delete(listener));
  }

  async #load(at: number): Promise<void> {
    const sent = this.#sent[at];
    const here = sent !== undefined && sent.byteLength > 0;
    try {
      const bytes = here ? sent : (await this.#requests.ask({ kind: "sprite", page: at }))[0];
      if (!bytes) throw new Error("the kernel sent no images");
      const bitmap = await decode(bytes);
      if (this.#ended) bitmap.close();
      else this.#sprites.set(at, { state: "ready", bitmap });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const where = here ? "this film can't be decoded" : "this film is not in the page";
      this.#sprites.set(at, { state: "absent", reason: `${where}; ${reason}` });
    }
    this.#tell();
  }

  #tell(): void {
    if (!this.#ended) for (const listener of [...this.#listeners]) listener();
  }
}
