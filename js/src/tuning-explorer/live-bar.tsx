// Tuning explorer: the bar for live work, above the rows.
// In: whether sliders move together, and the kernel's state. Out: the switch between both ways, and the kernel's light.
import { KernelLight } from "../shared/kernel-light";
import type { Combination } from "./combination";
import type { Explorer } from "./explorer";

export function LiveBar({ explorer, combination }: { explorer: Explorer; combination: Combination }) {
  const together = explorer.combining;
  return (
    <div class="tw-livebar">
      <fieldset class="tw-segments">
        <legend class="tw-hidden">How sliders move</legend>
        <button type="button" aria-pressed={!together} onClick={() => explorer.combine(false)}>
          One slider at a time
        </button>
        <button
          type="button"
          aria-pressed={together}
          title="Go to this image’s coordinates, and move on from there along all dimensions"
          onClick={() => explorer.combine(true)}
        >
          All sliders together
        </button>
      </fieldset>
      <KernelLight state={combination.kernel.state} />
    </div>
  );
}
