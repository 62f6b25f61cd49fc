// Tuning explorer: a row's first, middle and last image.
// In: the row's mosaic. Out: three small images; a click goes there (keys: Home, End and the arrows).
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawCell } from "../shared/sprites";
import type { Sprite } from "./dimension-images";
import { landmarks } from "./film";
import type { View } from "./view";

const PIXELS = 88;

interface Props {
  view: View;
  at: number;
  sprite: Sprite;
}

export function Thumbnails({ view, at, sprite }: Props) {
  const { points } = view.explorer.film;
  return (
    <div class="twe-thumbnails" aria-hidden="true">
      {landmarks(points).map((point) => (
        <Thumbnail key={point} view={view} at={at} sprite={sprite} point={point} />
      ))}
    </div>
  );
}

function Thumbnail({ view, at, sprite, point }: Props & { point: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { cells } = view.explorer.film;
  useLayoutEffect(() => {
    if (canvas.current && sprite.state === "ready") drawCell(canvas.current, sprite.bitmap, cells, point);
  }, [sprite, point, cells]);
  return <canvas ref={canvas} width={PIXELS} height={PIXELS} onClick={() => view.explorer.move(at, point)} />;
}
