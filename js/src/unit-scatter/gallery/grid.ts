// Unit scatter, gallery: how its pictures are laid out, and where a key leads among them.
// In: the room there is, and the number of pictures. Out: columns and rows in pixels; a place in the order.

const LEAST = 76;
export const GAP = 8;
/** The height of two lines under a picture. */
const CAPTION = 34;

export interface Grid {
  columns: number;
  side: number;
  row: number;
}

export function gridIn(width: number): Grid {
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)));
  const side = Math.max(24, Math.floor((width - (columns - 1) * GAP) / columns));
  return { columns, side, row: side + CAPTION + GAP };
}

/** The place that a key leads to from `at`; -1: nowhere yet. */
export function placeAfter(key: string, at: number, count: number, columns: number, page: number): number {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -count,
    End: count,
  };
  if (at < 0) return 0;
  const next = at + (steps[key] ?? 0);
  // Up and down keep their column: at the edge they stay.
  if ((key === "ArrowUp" && next < 0) || (key === "ArrowDown" && next >= count)) return at;
  return Math.max(0, Math.min(count - 1, next));
}
