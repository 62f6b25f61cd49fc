// Unit scatter, images: one image of a unit on a canvas.
// In: an image. Out: the canvas, or why there is no image.
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawCell } from "../../shared/sprites";
import type { UnitImage } from "./unit-images";

interface Props {
  image: UnitImage | undefined;
  /** Alternative text; empty where words beside the image say the same. */
  name: string;
  /** The canvas's side in pixels, approximately: a whole multiple of the image's own. */
  pixels: number;
  class?: string;
  onDrawn?: () => void;
}

export function ImageCanvas({ image, name, pixels, class: more = "", onDrawn }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ready = image?.state === "ready" ? image : undefined;
  const { width, height } = ready?.cells ?? { width: 1, height: 1 };
  const factor = Math.max(1, Math.round(pixels / Math.max(width, height)));
  useLayoutEffect(() => {
    if (!canvas.current || !ready) return;
    drawCell(canvas.current, ready.bitmap, ready.cells, ready.at);
    onDrawn?.();
  }, [ready?.bitmap, ready?.at, name]);
  if (!ready) {
    const why = image && "reason" in image ? image.reason : "no image";
    return <span class={`tws-noimage ${more}`}>{pixels > 100 ? why : ""}</span>;
  }
  const words = name ? ({ role: "img", "aria-label": name } as const) : ({ "aria-hidden": true } as const);
  return (
    <canvas
      ref={canvas}
      class={`tws-image ${more}`}
      width={width * factor}
      height={height * factor}
      {...words}
    />
  );
}
