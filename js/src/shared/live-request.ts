// Shared: live requests, which the kernel works on for a while. One runs at a time, and a newer one replaces it.
// In: a message without its id. Out: what the kernel reports, until the request is done, fails or is stopped.
//
// While a request has no reply, the next one waits here: at most one message ever waits in the kernel.
import { GONE, type Kernel } from "./kernel";
import { onEnd } from "./lifetime";
import { measure } from "./measure";
import type { MessageModel } from "./requests";

export interface Trouble {
  message: string;
  details: string;
}

export interface Listener {
  partial(facts: Record<string, unknown>, buffers: DataView[]): void;
  done(): void;
  failed(trouble: Trouble): void;
  /** Someone else, perhaps another window, asked for something newer. */
  stopped(): void;
}

export type Message = { kind: string } & Record<string, unknown>;

interface Current {
  id: string;
  listener: Listener;
  answered: boolean;
  timer: ReturnType<typeof setInterval>;
}

interface Told {
  id: string;
  kind: string;
  same?: string;
  message?: string;
  details?: string;
}

/** Milliseconds without a reply after which the kernel counts as busy. */
export const SILENCE = 1_000;

export class LiveRequests {
  #model: MessageModel;
  #kernel: Kernel;
  #current: Current | undefined;
  #next: { message: Message; listener: Listener } | undefined;
  #count = 0;
  #leaving: { id: string; at: number } | undefined;
  #prefix = Math.random().toString(36).slice(2, 10);

  constructor(model: MessageModel, kernel: Kernel, signal: AbortSignal) {
    this.#model = model;
    this.#kernel = kernel;
    const hear = (message: unknown, buffers: DataView[]) => this.#hear(message as Told, buffers);
    model.on("msg:custom", hear);
    kernel.subscribe(() => {
      if (kernel.state === "gone") this.#fail({ message: GONE, details: "" });
    }, signal);
    onEnd(signal, () => {
      model.off("msg:custom", hear);
      this.cancel();
    });
  }

  start(message: Message, listener: Listener): void {
    if (this.#kernel.ended) listener.failed({ message: GONE, details: "" });
    else if (this.#current && !this.#current.answered) this.#next = { message, listener };
    else this.#send(message, listener);
  }

  cancel(): void {
    this.#next = undefined;
    const current = this.#settle();
    if (!current) return;
    this.#leaving = { id: current.id, at: performance.now() };
    this.#post({ id: current.id, kind: "cancel" });
  }

  #send(message: Message, listener: Listener): void {
    this.#settle();
    const id = `${this.#prefix}-${this.#count++}`;
    let silence = 0;
    const timer = setInterval(() => {
      silence += SILENCE;
      if (!this.#current?.answered) this.#kernel.silent(silence);
    }, SILENCE);
    this.#current = { id, listener, answered: false, timer };
    this.#post({ id, ...message });
  }

  #post(message: unknown): void {
    const lost = () => {
      this.#kernel.unreachable();
      this.#fail({ message: GONE, details: "" });
    };
    try {
      // Without a connection to Python, some hosts throw and some return a rejected promise.
      Promise.resolve(this.#model.send(message)).catch(lost);
    } catch {
      lost();
    }
  }

  #settle(): Current | undefined {
    const current = this.#current;
    clearInterval(current?.timer);
    this.#current = undefined;
    return current;
  }

  #fail(trouble: Trouble): void {
    this.#next = undefined;
    this.#settle()?.listener.failed(trouble);
  }

  #hear(told: Told, buffers: DataView[]): void {
    this.#kernel.heard();
    if (told.kind === "canceled" && told.id === this.#leaving?.id)
      measure("tunewidgets:live-cancel", this.#leaving.at);
    const current = this.#current;
    if (!current || told.id !== current.id) return;
    current.answered = true;
    const next = this.#next;
    if (next) {
      this.#next = undefined;
      this.#send(next.message, next.listener);
      return;
    }
    if (told.kind === "progress" && told.same) current.id = told.same;
    if (told.kind === "partial") current.listener.partial(told as never, buffers);
    if (told.kind === "done") this.#settle()?.listener.done();
    if (told.kind === "canceled") this.#settle()?.listener.stopped();
    if (told.kind === "error") this.#fail({ message: told.message ?? "", details: told.details ?? "" });
  }
}
