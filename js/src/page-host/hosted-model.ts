// Exported page: a widget's model without a kernel behind it.
// In: the traits' values. Out: what anywidget calls a model; what one view sets, every other view and link hears.

type Callback = (...args: never[]) => void;

export interface HostedModel {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: Callback): void;
  off(event: string, callback: Callback): void;
  /** Where a notebook's host holds its kernel. */
  widget_manager: { kernel: null };
}

export function hostedModel(state: Record<string, unknown>): HostedModel {
  const values = new Map(Object.entries(state));
  const listeners = new Map<string, Set<Callback>>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      if (values.get(key) === value) return;
      values.set(key, value);
      for (const callback of [...(listeners.get(`change:${key}`) ?? [])]) callback();
    },
    // There is nowhere to save to: the page itself is the state.
    save_changes: () => undefined,
    send() {
      throw new Error("this page has no kernel");
    },
    on(event, callback) {
      const known = listeners.get(event) ?? new Set();
      listeners.set(event, known.add(callback));
    },
    off(event, callback) {
      listeners.get(event)?.delete(callback);
    },
    widget_manager: { kernel: null },
  };
}
