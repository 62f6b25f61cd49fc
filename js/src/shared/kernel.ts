// Shared: the state of the kernel.
// In: the widget model, its host's kernel where there is one to see, and whether requests get a reply. Out: one of three
// states, for everyone who listens.

import { onEnd } from "./lifetime";
import { Observable } from "./observable";

export type KernelState = "connected" | "busy" | "gone";

interface Signal {
  connect(slot: () => void): void;
  disconnect(slot: () => void): void;
}

/** What JupyterLab's kernel connections have; other hosts may have less. */
interface Connection {
  status?: string;
  statusChanged?: Signal;
}

export interface KernelModel {
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
  widget_manager?: unknown;
}

/** After these a widget's connection to Python is lost for good: only running its cell again makes a new one. */
const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/** What a reader is told about a request without a reply. */
export const GONE = "kernel not connected";

/** How many milliseconds a kernel that doesn't report itself busy may stay silent. */
export const PATIENCE = 5_000;

export class Kernel extends Observable {
  #state: KernelState = "connected";
  #ended = false;
  #connection: Connection | undefined;

  constructor(model: KernelModel, signal: AbortSignal) {
    super(signal);
    const lost = () => this.#end();
    // ipywidgets reports a lost connection this way; nothing else changes it while the widget lives.
    model.on("comm_live_update", lost);
    onEnd(signal, () => {
      model.off("comm_live_update", lost);
    });
    const manager = model.widget_manager as { kernel?: Connection | null } | undefined;
    if (manager && "kernel" in manager) this.#watch(manager.kernel ?? undefined, signal);
  }

  get state(): KernelState {
    return this.#state;
  }

  /** Whether the widget's connection to Python is lost for good. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Something came from Python. */
  heard(): void {
    if (!this.#ended) this.#set("connected");
  }

  /**
   * A request has been waiting for its reply for so many milliseconds. An idle kernel would have replied; if it
   * can't be seen, as in an exported page, silence is the only evidence.
   */
  silent(since: number): void {
    const idle = (this.#connection?.status ?? "idle") === "idle";
    const nobody = idle && since >= PATIENCE;
    if (!this.#ended) this.#set(nobody ? "gone" : "busy");
  }

  /** A message could not be sent. */
  unreachable(): void {
    this.#set("gone");
  }

  #watch(connection: Connection | undefined, signal: AbortSignal): void {
    if (!connection) {
      this.#end();
      return;
    }
    this.#connection = connection;
    const look = () => {
      if (ENDED.has(connection.status ?? "")) this.#end();
    };
    connection.statusChanged?.connect(look);
    onEnd(signal, () => connection.statusChanged?.disconnect(look));
    look();
  }

  #end(): void {
    this.#ended = true;
    this.#set("gone");
  }

  #set(state: KernelState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit();
  }
}
