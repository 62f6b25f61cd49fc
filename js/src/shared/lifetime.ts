// Shared: how long something lives.
// In: the props a host gives to `initialize` or `render`. Out: one AbortSignal, and the cleanup to return.

export interface Lifetime {
  signal: AbortSignal;
  /** For hosts that pass no signal: they call what `initialize` or `render` returned. */
  end: () => void;
}

/** anywidget 0.11 passes `signal`; older hosts only call the returned cleanup. Either one ends the lifetime. */
export function lifetime(given: AbortSignal | undefined): Lifetime {
  const own = new AbortController();
  const signal = given ? AbortSignal.any([given, own.signal]) : own.signal;
  return { signal, end: () => own.abort() };
}

/** Runs `cleanup` when the signal aborts, at once if it already has. */
export function onEnd(signal: AbortSignal, cleanup: () => void): void {
  if (signal.aborted) cleanup();
  else signal.addEventListener("abort", cleanup, { once: true });
}
