// Unit scatter, plot: the layer of units' images above their points.
// In: the units whose images fit, and their colors. Out: a canvas.
import { useLayoutEffect, useRef } from "preact/hooks";
import { cellOrigin } from "../../shared/sprites";
import type { View } from "../state/view";
import { FRAME, placedImages, SIDE } from "./image-placement";

interface Props {
  view: View;
  /** Each unit's color, where it has one. */
  colors: readonly (string | undefined)[];
  plain: string;
}

export function ImageLayer({ view, colors, plain }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    const { clientWidth, clientHeight } = canvas.current ?? {};
    // Without room, as in a hidden tab or while the host loads another theme, what was painted stays.
    if (!canvas.current || !context || !clientWidth || !clientHeight) return;
    const scale = devicePixelRatio || 1;
    canvas.current.width = clientWidth * scale;
    canvas.current.height = clientHeight * scale;
    context.scale(scale, scale);
    for (const unit of view.imageUnits) {
      const [x, y] = view.places[unit] ?? [0, 0];
      // On whole pixels of the screen, so that every frame is equally sharp.
      const [left, top] = [x, y].map((middle) => Math.round((middle - SIDE / 2) * scale) / scale);
      paint(context, view, unit, colors[unit] ?? plain, left ?? 0, top ?? 0, SIDE);
    }
  });
  return <canvas ref={canvas} class="tws-plane" />;
}

/** Paints a unit's image on a frame of its color, or nothing while there is no image. */
export function paint(
  context: CanvasRenderingContext2D,
  { scatter }: View,
  unit: number,
  color: string,
  left: number,
  top: number,
  side: number,
): boolean {
  const { layer, state, images } = scatter;
  const image = images.of(layer, state.objective, unit);
  if (image?.state !== "ready") return false;
  const { bitmap, cells, at } = image;
  const frame = (FRAME * side) / SIDE;
  const inner = side - 2 * frame;
  context.fillStyle = color;
  context.fillRect(left, top, side, side);
  context.imageSmoothingQuality = "high";
  const from = [...cellOrigin(cells, at), cells.width, cells.height] as const;
  context.drawImage(bitmap, ...from, left + frame, top + frame, inner, inner);
  return true;
}

/**
 * Units whose images may be shown in the plot, in order of priority: the opened and the pinned one, then the
 * selection, or all units if nothing is selected.
 */
export function imageOrder({ scatter }: View): number[] {
  const { layer, state } = scatter;
  const shown = layer.shown[state.objective];
  if (!state.images || !layer.sheets[state.objective]) return [];
  const first = [state.unit, state.pinned].filter((unit) => unit !== null);
  const rest = state.selected.length > 0 ? state.selected : layer.table.unit.keys();
  return [...new Set([...first, ...rest])].filter((unit) => shown?.missing[unit] === undefined);
}

export function unitsWithRoom(view: View): number[] {
  return placedImages(view.places, imageOrder(view));
}
