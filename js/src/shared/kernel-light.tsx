// Shared: the kernel's state, as a small light with words.
// In: connected, busy or gone. Out: one line.
import { GONE, type KernelState } from "./kernel";

const WORDS: Record<KernelState, string> = {
  connected: "kernel connected",
  busy: "kernel busy: a running cell may delay messages",
  gone: `${GONE}: showing what the record holds`,
};

export function KernelLight({ state }: { state: KernelState }) {
  return (
    <p class={`tw-kernel tw-kernel-${state}`} role="status">
      <i aria-hidden="true" />
      {WORDS[state]}
    </p>
  );
}
