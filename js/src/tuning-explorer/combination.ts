// Tuning explorer: all sliders together. The kernel makes the image for their coordinates, and it grows in view.
// In: coordinates, one per row. Out: the image as far as it has come, and what is known of it.

import type { Kernel } from "../shared/kernel";
import { onEnd } from "../shared/lifetime";
import { LiveRequests, type Trouble } from "../shared/live-request";
import { measure } from "../shared/measure";
import { NewestImage } from "../shared/newest-image";
import { Observable } from "../shared/observable";
import type { MessageModel } from "../shared/requests";

export interface Facts {
  coordinates: number[];
  step: number;
  steps: number;
  cosine: number | null;
  units: number[];
  weights: number[];
  /** Row (null where it is not shown), dimension and point of the film's image that this one started from. */
  from: [row: number | null, dimension: number, point: number];
}

export type CombinationStage = "idle" | "asked" | "growing" | "done" | "stopped" | "failed";

/** Milliseconds between two requests while a slider moves: enough to see the first image of each. */
export const PACE = 80;
const REMEMBERED = 64;

interface Finished {
  bytes: DataView;
  facts: Facts;
}

export class Combination extends Observable {
  stage: CombinationStage = "idle";
  facts: Facts | undefined;
  trouble: Trouble | undefined;
  readonly home: readonly number[];
  #requests: LiveRequests;
  #finished = new Map<string, Finished>();
  #wanted: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #moved = 0;
  #first = false;
  #image: NewestImage;

  constructor(
    home: readonly number[],
    model: MessageModel,
    readonly kernel: Kernel,
    signal: AbortSignal,
  ) {
    super(signal);
    this.home = home;
    this.#image = new NewestImage(signal);
    this.#requests = new LiveRequests(model, kernel, signal);
    kernel.subscribe(() => this.emit(), signal);
    onEnd(signal, () => clearTimeout(this.#timer));
  }

  /** Shows the image of these coordinates: at once if it is remembered, otherwise from the kernel. */
  want(coordinates: readonly number[]): void {
    this.#wanted = coordinates;
    this.#moved = performance.now();
    this.#first = true;
    const known = this.#finished.get(coordinatesKey(coordinates));
    if (known) {
      this.#rest();
      this.#show(known.facts, known.bytes);
      this.#enter("done");
      return;
    }
    this.#enter("asked");
    // At once when the reader begins to move, then at a steady pace, and always for the final coordinates.
    if (this.#timer === undefined) this.#ask();
  }

  /** Stops what is under way; the image so far stays. */
  stop(): void {
    this.#rest();
    this.#enter(this.busy ? "stopped" : this.stage);
  }

  /** Goes back to sliders that move one at a time. */
  leave(): void {
    this.#wanted = [];
    this.#rest();
    this.#enter("idle");
  }

  /** Reports a problem with the image that is shown; the image stays. */
  complain(message: string): void {
    this.trouble = { message, details: "" };
    this.emit();
  }

  get bitmap(): ImageBitmap | undefined {
    return this.#image.bitmap;
  }

  get busy(): boolean {
    return this.stage === "asked" || this.stage === "growing";
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#requests.cancel();
  }

  #ask(): void {
    const coordinates = this.#wanted;
    const key = coordinatesKey(coordinates);
    const current = () => this.#wanted === coordinates;
    this.#requests.start(
      { kind: "image", coordinates },
      {
        partial: (told, [bytes]) => {
          const facts = told as unknown as Facts;
          if (bytes && facts.step === facts.steps) this.#remember(key, { bytes, facts });
          if (!bytes || !current()) return;
          this.#show(facts, bytes);
          this.#enter("growing");
        },
        done: () => {
          if (!current()) return;
          if (!this.#finished.has(key)) {
            // The request joined another one too late to receive the image: the kernel remembers it by now.
            this.#ask();
            return;
          }
          measure("tunewidgets:live-final", this.#moved);
          this.#enter("done");
        },
        failed: (trouble) => {
          if (!current()) return;
          this.trouble = trouble;
          this.#enter("failed");
        },
        stopped: () => {
          if (current()) this.#enter("stopped");
        },
      },
    );
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!current() && this.#wanted.length > 0) this.#ask();
    }, PACE);
  }

  #remember(key: string, finished: Finished): void {
    this.#finished.set(key, finished);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > REMEMBERED && oldest !== undefined) this.#finished.delete(oldest);
  }

  async #show(facts: Facts, bytes: DataView): Promise<void> {
    if (!(await this.#image.show(bytes))) return;
    this.facts = facts;
    if (this.#first && facts.step > 0) {
      measure("tunewidgets:live-first", this.#moved);
      this.#first = false;
    }
    this.emit();
  }

  #enter(stage: CombinationStage): void {
    this.stage = stage;
    if (stage !== "failed") this.trouble = undefined;
    this.emit();
  }
}

export function coordinatesKey(coordinates: readonly number[]): string {
  return coordinates.map((coordinate) => coordinate.toFixed(5)).join(" ");
}
