// Shared: a hook that renders a component again when something it shows changes.
// In: observables. Out: a new rendering after each change, until the component or the view ends.
import { useEffect, useReducer } from "preact/hooks";

interface Source {
  subscribe(listener: () => void, signal: AbortSignal): void;
}

/** Only the sources of the first rendering count; `until` ends every subscription. */
export function useChanges(until: AbortSignal, ...sources: (Source | undefined)[]): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, until]);
    for (const one of sources) one?.subscribe(again as () => void, signal);
    again(undefined as never);
    return () => ending.abort();
  }, [until]);
}
