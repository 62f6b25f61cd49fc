// Shared room: mosaics of equal cells, decoded once and drawn a cell at a time.
// In: encoded bytes (WebP). Out: cells on a canvas.

/** How a mosaic is laid out: cells of `width` × `height` pixels, `columns` a row, in reading order. */
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
