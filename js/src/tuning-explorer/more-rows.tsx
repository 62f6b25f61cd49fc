// Tuning explorer: what the list of rows holds beyond its lower edge.
// In: the view whose list scrolls. Out: how many rows are below, as a button that goes on to them; nothing where all fit.
import { useEffect, useState } from "preact/hooks";
import type { View } from "./view";

export function MoreRows({ view }: { view: View }) {
  const [below, setBelow] = useState<number | undefined>(undefined);
  useEffect(() => {
    const list = view.root.querySelector<HTMLElement>(".twe-rows");
    if (!list) return undefined;
    const count = () => {
      const edge = list.scrollTop + list.clientHeight;
      const rows = [...list.children] as HTMLElement[];
      // More than half of it out of sight.
      const hidden = rows.filter((row) => row.offsetTop + row.offsetHeight / 2 > edge).length;
      setBelow(list.scrollHeight > list.clientHeight + 1 ? hidden : undefined);
    };
    const sizes = new ResizeObserver(count);
    sizes.observe(list);
    list.addEventListener("scroll", count, { passive: true });
    return () => {
      sizes.disconnect();
      list.removeEventListener("scroll", count);
    };
  }, [view]);
  if (below === undefined) return null;
  return (
    <button type="button" class="twe-more" data-end={below === 0} onClick={() => view.turnRows(below > 0)}>
      {below > 0 ? `${below} more below` : "Back to the first"}
    </button>
  );
}
