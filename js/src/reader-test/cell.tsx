// Reader test: one picture of a mosaic.
// In: the mosaic's bytes, decoded once, and a cell's number. Out: a canvas with it.
import { useEffect, useRef } from "preact/hooks";
import { type Cells, decode, drawCell } from "../shared/sprites";

const decoded = new WeakMap<DataView, Promise<ImageBitmap>>();

export function Cell({
  bytes,
  cells,
  at,
  name,
}: {
  bytes: DataView;
  cells: Cells;
  at: number;
  name: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let wanted = true;
    const bitmap = decoded.get(bytes) ?? decode(bytes);
    decoded.set(bytes, bitmap);
    void bitmap.then((mosaic) => {
      if (wanted && canvas.current) drawCell(canvas.current, mosaic, cells, at);
    });
    return () => {
      wanted = false;
    };
  }, [bytes, cells, at]);
  return (
    <canvas
      ref={canvas}
      class="twq-cell"
      width={cells.width}
      height={cells.height}
      {...(name ? { role: "img", "aria-label": name } : { "aria-hidden": true })}
    />
  );
}
