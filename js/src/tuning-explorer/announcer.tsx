// The explorer: a polite live region that says what changed once the reader's hand rests.
import { useEffect, useRef, useState } from "preact/hooks";
import { decimal } from "../shared/format";
import type { Explorer } from "./explorer";
import { titleOf } from "./film";

const REST = 400;

export function describe(explorer: Explorer): string {
  const { film, state } = explorer;
  const dimension = film.dimensions[state.dimension];
  if (!dimension) return "";
  const title = titleOf(dimension, state.labels[state.dimension] ?? "");
  if (dimension.status) return `${title}: ${dimension.status}`;
  if (state.playing) return `${title}: playing`;
  const point = explorer.point();
  const where = `point ${point + 1} of ${film.points}, coordinate ${decimal(dimension.coordinate[point])}`;
  return `${title}: ${where}, cosine ${decimal(dimension.cosine[point])}`;
}

export function Announcer({ explorer }: { explorer: Explorer }) {
  const [said, say] = useState("");
  const first = useRef(true);
  const text = describe(explorer);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const timer = setTimeout(() => say(text), REST);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="tw-hidden tw-live" role="status" aria-live="polite">
      {said}
    </p>
  );
}
