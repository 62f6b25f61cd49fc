// Shared: the polite status region that a screen reader reads out.
// In: a sentence about the current state. Out: the sentence is announced once the reader pauses; the initial state is not.
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
    <p class="tw-hidden tw-status" role="status" aria-live="polite">
      {said}
    </p>
  );
}
