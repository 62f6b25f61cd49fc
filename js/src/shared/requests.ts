// Shared: asks the kernel for what is not in the page.
// In: a message without its id. Out: the reply's buffers, or an error that says why there are none.
import { GONE } from "./kernel";
import { onEnd } from "./lifetime";

export interface MessageModel {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (message: unknown, buffers: DataView[]) => void): void;
  off(event: "msg:custom", callback: (message: unknown, buffers: DataView[]) => void): void;
}

interface Reply {
  id: string;
  kind: "done" | "error";
  message?: string;
}

interface Waiting {
  resolve: (buffers: DataView[]) => void;
  reject: (reason: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

const PATIENCE = 10_000;

function isReply(message: unknown): message is Reply {
  const kind = (message as Reply | null)?.kind;
  return kind === "done" || kind === "error";
}

export class Requests {
  #model: MessageModel;
  #waiting = new Map<string, Waiting>();
  #count = 0;
  // Several windows hear the same replies: the prefix keeps their requests apart.
  #prefix = Math.random().toString(36).slice(2, 10);

  constructor(
    model: MessageModel,
    signal: AbortSignal,
    readonly patience = PATIENCE,
  ) {
    this.#model = model;
    const hear = (message: unknown, buffers: DataView[]) => this.#hear(message, buffers);
    model.on("msg:custom", hear);
    onEnd(signal, () => {
      model.off("msg:custom", hear);
      for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new Error("the view was closed"));
    });
  }

  /** Rejects when the kernel replies with an error, can't be reached, or stays silent for `patience` ms. */
  ask(message: { kind: string } & Record<string, unknown>): Promise<DataView[]> {
    const id = `${this.#prefix}-${this.#count++}`;
    return new Promise((resolve, reject) => {
      const silent = () => this.#settle(id)?.reject(new Error(GONE));
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(silent, this.patience) });
      try {
        // Where there is no comm, some hosts throw and some return a rejected promise.
        Promise.resolve(this.#model.send({ id, ...message })).catch(silent);
      } catch {
        silent();
      }
    });
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #hear(message: unknown, buffers: DataView[]): void {
    if (!isReply(message)) return;
    const waiting = this.#settle(message.id);
    if (message.kind === "done") waiting?.resolve(buffers);
    else waiting?.reject(new Error(message.message ?? "the kernel gave no reason"));
  }
}
