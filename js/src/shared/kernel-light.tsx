// Shared room: the kernel's state, small and in words.
import { GONE, type KernelState } from "./kernel";

const WORDS: Record<KernelState, string> = {
  connected: "kernel connected",
  busy: "kernel busy: a running cell may hold messages back",
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
