// Recovery checklist: one mark as an icon.
// In: yes, no or none. Out: a disk with a tick, a ring with a cross, or a dash: told apart without color.
import type { Mark } from "./report";

export function MarkIcon({ value, small = false }: { value: Mark; small?: boolean }) {
  const kind = value === null ? "absent" : value ? "yes" : "no";
  return (
    <svg
      class={`twr-mark twr-${kind}${small ? " twr-small" : ""}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      data-mark={kind}
    >
      {value === null ? null : <circle cx="8" cy="8" r="7" />}
      <path
        d={
          value === null ? "M4 8h8" : value ? "M4.7 8.3l2.3 2.4 4.3-5" : "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"
        }
      />
    </svg>
  );
}
