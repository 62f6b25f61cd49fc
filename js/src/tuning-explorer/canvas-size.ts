// The explorer's screen: how large the one image is drawn, of the record or of where all sliders stand.
import type { Cells } from "../shared/sprites";

/** About how many pixels its canvas has a side. */
const PIXELS = 512;

/** The canvas's size: a whole multiple of the image's. */
export function canvasSize({ width, height }: Cells): { width: number; height: number } {
  const factor = Math.max(1, Math.round(PIXELS / Math.max(width, height)));
  return { width: width * factor, height: height * factor };
}
