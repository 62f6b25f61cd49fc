// Shared room: a polite live region.
// In: what is so now. Out: it is said once the reader's hand rests; what is there at first is not said.
import { useEffect, useRef, useState } from "preact/hooks";

const REST = 400;

export function Announcements({ text }: { text: string }) {
  const [said, say] = useState("");
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const timer = setTimeout(() => say(text), REST);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="tw-hidden tw-announcements" role="status" aria-live="polite">
      {said}
    </p>
  );
}
