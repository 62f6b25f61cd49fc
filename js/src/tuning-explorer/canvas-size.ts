// Tuning explorer: the size at which the one large image is drawn.
// In: the size of the image. Out: the canvas's size, a whole multiple of it.
import type { Cells } from "../shared/sprites";

/** The side of its canvas in pixels, approximately. */
const PIXELS = 512;

/** The canvas's size: a whole multiple of the image's. */
export function canvasSize({ width, height }: Cells): { width: number; height: number } {
  const factor = Math.max(1, Math.round(PIXELS / Math.max(width, height)));
  return { width: width * factor, height: height * factor };
}
