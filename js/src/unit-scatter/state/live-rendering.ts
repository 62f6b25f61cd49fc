// Unit scatter, state: units rendered on request. The kernel makes their images, one computation at a time, the newest
// click first.
// In: what the reader wants. Out: the stage, the image as it grows, and news of finished units, whoever asked for them.

import { Kernel, type KernelModel } from "../../shared/kernel";
import { onEnd } from "../../shared/lifetime";
import { LiveRequests, type Trouble } from "../../shared/live-request";
import { measure } from "../../shared/measure";
import { NewestImage } from "../../shared/newest-image";
import { Observable } from "../../shared/observable";
import type { MessageModel } from "../../shared/requests";
import type { Value } from "../data/columns";
import type { Grown, Whole } from "../data/layer-updates";

export type RenderingStage = "idle" | "asked" | "running" | "stopped" | "failed";
/** The first images, one more restart, or twice the steps. */
export type TaskKind = "image" | "restart" | "longer";

export interface Subject {
  layer: string;
  unit: number;
  objective: string;
  task: TaskKind;
}

export interface Progress extends Subject {
  step: number;
  steps: number;
  rs?: Value;
  own?: Value;
  restart?: number;
  comparing?: boolean;
}

export interface News extends Progress {
  all: [done: number, total: number] | null;
  grown?: Grown;
  whole?: Whole;
  /** Whether a further image replaces the unit's image from now on. */
  kept?: boolean;
}

interface Wish {
  layer?: string;
  unit?: number;
  objective?: string;
  task?: TaskKind;
  all?: boolean;
}

export class Rendering extends Observable {
  stage: RenderingStage = "idle";
  trouble: Trouble | undefined;
  now: Progress | undefined;
  /** The progress of the run through all units; null where there is none. */
  all: [done: number, total: number] | null = null;
  /** What became of the reader's last further restart or longer run. */
  outcome: (Subject & { kept: boolean; steps: number }) | undefined;
  /** The unit whose rendering failed; none if a run through all of them failed before its first. */
  lost: Subject | undefined;
  /** RS and activation of the image under way, at the steps that were received. */
  course: { steps: number[]; rs: Value[]; own: Value[] } = { steps: [], rs: [], own: [] };
  readonly kernel: Kernel;
  #requests: LiveRequests;
  #wish: Wish = {};
  #wanted: Subject | undefined;
  #asked = 0;
  #first = false;
  #through: { layer: string; objective: string; count: number } | undefined;
  #again = false;
  #image: NewestImage;

  /** `take` receives every finished unit with its images' bytes; `waits` says whether a unit has no image yet. */
  constructor(
    model: MessageModel & KernelModel,
    readonly take: (news: News, images: readonly DataView[]) => void,
    readonly waits: (subject: Subject) => boolean,
    signal: AbortSignal,
  ) {
    super(signal);
    this.kernel = new Kernel(model, signal);
    this.#image = new NewestImage(signal);
    this.#requests = new LiveRequests(model, this.kernel, signal);
    const hear = (message: unknown, buffers: DataView[]) => this.#overhear(message as never, buffers);
    model.on("msg:custom", hear);
    this.kernel.subscribe(() => this.emit(), signal);
    onEnd(signal, () => model.off("msg:custom", hear));
    // A page that was reloaded learns what is under way, and whether there is a kernel.
    this.#ask({});
  }

  get bitmap(): ImageBitmap | undefined {
    return this.#image.bitmap;
  }

  get busy(): boolean {
    return this.stage === "asked" || this.stage === "running";
  }

  get gone(): boolean {
    return this.kernel.state === "gone";
  }

  /** Whether a unit's image is being made now, or is the next. */
  isAt(layer: string, unit: number): boolean {
    if (!this.busy) return false;
    const subject = this.stage === "asked" ? this.#wanted : this.now;
    return subject?.layer === layer && subject.unit === unit;
  }

  want(subject: Subject): void {
    if (subject.task === "image" && this.isAt(subject.layer, subject.unit)) return;
    this.#wanted = subject;
    this.#asked = performance.now();
    this.#first = true;
    this.#again = true;
    this.outcome = undefined;
    this.#enter("asked");
    this.#ask({ ...subject });
  }

  /** Renders all `count` waiting units of a layer in the background. */
  wantAll(layer: string, objective: string, count: number): void {
    this.#through = { layer, objective, count };
    // The first step may take a while: the click is answered before.
    this.all ??= [0, count];
    this.#enter(this.busy ? this.stage : "asked");
    this.#ask({ layer, objective, all: true });
  }

  /** Retries what failed: the unit, and the rest of the run if all units were asked for. */
  retry(): void {
    const lost = this.lost;
    if (this.#through) this.wantAll(this.#through.layer, this.#through.objective, this.#through.count);
    if (lost) this.want({ layer: lost.layer, unit: lost.unit, objective: lost.objective, task: lost.task });
  }

  stop(): void {
    this.#requests.cancel();
    this.#settle(this.busy ? "stopped" : this.stage);
  }

  #ask(wish: Wish): void {
    // A wish that the kernel has not confirmed is sent again together with the new one.
    this.#wish = { ...this.#wish, ...wish };
    this.#requests.start(
      { kind: "render", ...this.#wish },
      {
        partial: (facts, [bytes]) => this.#follow(facts as unknown as News, bytes),
        done: () => this.#finish(),
        failed: (trouble) => {
          const wanted = this.busy && !this.gone;
          this.lost = wanted ? (this.now ?? this.#wanted) : undefined;
          this.trouble = trouble;
          this.#settle(wanted ? "failed" : "idle");
        },
        stopped: () => this.#settle("stopped"),
      },
    );
  }

  #follow(news: News, bytes: DataView | undefined): void {
    this.#wish = {};
    this.all = news.all;
    const { layer, objective } = news;
    this.#through = news.all ? { layer, objective, count: news.all[1] - news.all[0] } : undefined;
    const same = this.now?.unit === news.unit && this.now.objective === news.objective;
    if (!same || news.step < (this.now?.step ?? 0)) this.course = { steps: [], rs: [], own: [] };
    this.now = news;
    if (news.own !== undefined) {
      this.course.steps.push(news.step);
      this.course.rs.push(news.rs ?? null);
      this.course.own.push(news.own);
    }
    if (bytes && !news.grown) void this.#show(news, bytes);
    const mine = this.#wanted?.unit === news.unit && this.#wanted.layer === news.layer;
    if (mine && news.grown && news.objective === this.#wanted?.objective)
      measure("tunewidgets:live-final", this.#asked);
    this.#enter("running");
  }

  /** Finished images are taken over regardless of who asked for them: a cell, or another window. */
  #overhear(told: News & { kind: string }, buffers: DataView[]): void {
    if (told?.kind !== "partial") return;
    if (told.grown || told.whole) {
      if (told.task !== "image" && told.kept !== undefined)
        this.outcome = { ...told, kept: told.kept, steps: told.steps };
      this.take(told, buffers);
    }
    if (!this.busy && this.stage !== "stopped") {
      this.#enter("running");
      this.#ask({});
    }
  }

  #finish(): void {
    this.#wish = {};
    const wanted = this.#wanted;
    this.#settle("idle");
    // The run may have ended just before the click arrived: ask once more.
    if (wanted && this.#again && this.waits(wanted)) {
      this.#again = false;
      this.#enter("asked");
      this.#ask({ ...wanted });
    }
  }

  async #show(news: News, bytes: DataView): Promise<void> {
    if (!(await this.#image.show(bytes))) return;
    if (this.#first && this.#wanted?.unit === news.unit) {
      measure("tunewidgets:live-first", this.#asked);
      this.#first = false;
    }
    this.emit();
  }

  #settle(stage: RenderingStage): void {
    this.#wish = {};
    if (stage !== "failed") this.#through = undefined;
    this.#image.clear();
    this.all = null;
    this.now = undefined;
    this.#enter(stage);
  }

  #enter(stage: RenderingStage): void {
    this.stage = stage;
    if (stage !== "failed") {
      this.trouble = undefined;
      this.lost = undefined;
    }
    this.emit();
  }
}
