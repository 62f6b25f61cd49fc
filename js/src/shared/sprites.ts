// Shared: mosaics of equal cells, decoded once and drawn one cell at a time.
// In: encoded bytes (WebP). Out: cells on a canvas.
import type { Requests } from "./requests";

/** How a mosaic is laid out: cells of `width` × `height` pixels, `columns` per row, in reading order. */
export interface Cells {
  width: number;
  height: number;
  columns: number;
}

export function cellOrigin(cells: Cells, index: number): [x: number, y: number] {
  return [(index % cells.columns) * cells.width, Math.floor(index / cells.columns) * cells.height];
}

/** Fills the canvas with one cell. Enlarging is smoothed: a film is an image, not a grid of squares. */
export function drawCell(
  canvas: HTMLCanvasElement,
  sprite: CanvasImageSource,
  cells: Cells,
  index: number,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const [x, y] = cellOrigin(cells, index);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(sprite, x, y, cells.width, cells.height, 0, 0, canvas.width, canvas.height);
}

export function decode(bytes: DataView | Uint8Array): Promise<ImageBitmap> {
  // A copy: the view may lie inside a larger message, and a Blob of a view of shared memory is refused.
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return createImageBitmap(new Blob([copy], { type: "image/webp" }));
}

/**
 * A mosaic that came with the page, or one from the kernel. Rejects with a sentence about `what`.
 */
export async function mosaic(
  sent: DataView | undefined,
  page: number,
  requests: Requests,
  what: string,
): Promise<ImageBitmap> {
  const here = sent?.byteLength ? sent : undefined;
  try {
    const bytes = here ?? (await requests.ask({ kind: "sprite", page }))[0];
    if (!bytes) throw new Error("the kernel sent no images");
    return await decode(bytes);
  } catch (error) {
    const where = here ? "can't be decoded" : "is not in the page";
    throw new Error(`${what} ${where}; ${reasonOf(error)}`);
  }
}

/** What went wrong, as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
