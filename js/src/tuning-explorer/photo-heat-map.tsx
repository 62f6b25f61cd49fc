// Tuning explorer: a photo under the active dimension's heat map.
// In: the photo. Out: the map; pointing at a position moves every slider to that position's coordinates.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { decimal } from "../shared/format";
import { useChanges } from "../shared/use-changes";
import { axisOf, middleOf } from "./histogram-geometry";
import type { Photo } from "./photo";
import type { View } from "./view";

const WIDTH = 640;
const ARROWS: Record<string, [down: number, across: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function PhotoHeatMap({ view, photo }: { view: View; photo: Photo }) {
  const { explorer } = view;
  const { dimension: at, position } = explorer.state;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [heated, setHeated] = useState(true);
  useChanges(view.signal, photo);
  const dimension = explorer.film.dimensions[at];
  const { bitmap } = photo;
  useLayoutEffect(() => {
    if (canvas.current && bitmap && dimension) {
      paint(canvas.current, bitmap);
      if (heated && !dimension.status) {
        overlay(canvas.current, photo, photo.heat(at, middleOf(dimension), axisOf(dimension)));
      }
      if (position.length === 2) mark(canvas.current, photo, position[0] ?? 0, position[1] ?? 0);
    }
  });
  if (!dimension) return null;
  const title = explorer.title(at);
  const here = explorer.marked(at);
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    explorer.lookAt(...photo.positionAt(x, y));
  };
  const walk = (event: KeyboardEvent) => {
    const by = ARROWS[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = position.length === 2 ? position : middlePlace(photo);
    explorer.lookAt((row ?? 0) + by[0], (column ?? 0) + by[1]);
  };
  const height = Math.round((WIDTH * photo.facts.height) / photo.facts.width);
  return (
    <section class="twe-whatif" aria-label="A photo along the dimensions">
      <h4 class="tw-heading">Where this photo falls along {title}</h4>
      <div
        class="twe-photo"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the mark
        tabIndex={0}
        role="application"
        aria-roledescription="photo"
        aria-label={`The photo; arrow keys move the mark${here === undefined ? "" : `, now at ${decimal(here)}`}`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          point(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons & 1) point(event);
        }}
        onKeyDown={walk}
      >
        <canvas ref={canvas} width={WIDTH} height={height} />
      </div>
      <label>
        <input
          type="checkbox"
          checked={heated}
          onChange={(event) => setHeated(event.currentTarget.checked)}
        />
        heat map
      </label>
      <p class="tw-quiet twe-heat" aria-hidden="true">
        <span>low end</span>
        <i />
        <span>high end</span>
      </p>
      <p class="tw-quiet twe-here-text">
        {here === undefined
          ? "Point at the photo: every slider moves to where that position falls."
          : `Row ${position[0]}, column ${position[1]} of the map: ${decimal(here)} along ${title}. The sliders are at the nearest points.`}
      </p>
    </section>
  );
}

function middlePlace(photo: Photo): [number, number] {
  return [Math.floor(photo.facts.rows / 2), Math.floor(photo.facts.columns / 2)];
}

function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

function overlay(canvas: HTMLCanvasElement, photo: Photo, heat: ImageData): void {
  const context = canvas.getContext("2d");
  const small = new OffscreenCanvas(heat.width, heat.height);
  const { left, top, width, height } = photo.box;
  small.getContext("2d")?.putImageData(heat, 0, 0);
  context?.drawImage(
    small,
    left * canvas.width,
    top * canvas.height,
    width * canvas.width,
    height * canvas.height,
  );
}

/** A white square with a dark rim is visible on any photo. */
function mark(canvas: HTMLCanvasElement, photo: Photo, row: number, column: number): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { left, top, width, height } = photo.box;
  const x = (left + (width * (column + 0.5)) / photo.facts.columns) * canvas.width;
  const y = (top + (height * (row + 0.5)) / photo.facts.rows) * canvas.height;
  const side = Math.max(14, (width / photo.facts.columns) * canvas.width);
  for (const [color, line] of [
    ["#000", 6],
    ["#fff", 3],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.strokeRect(x - side / 2, y - side / 2, side, side);
  }
}
