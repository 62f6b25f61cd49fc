// Tuning explorer: a row's images from end to end, each over its point's place on the slider.
// In: the row's mosaic and where its slider is. Out: buttons that go to their points (keys: the arrows, Home and End).
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawCell } from "../shared/sprites";
import type { Sprite } from "./dimension-images";
import { landmarks, nearestIndex } from "./film";
import type { View } from "./view";

/** The most pixels of a side: twice that of the largest on the page. */
const PIXELS = 144;

interface Props {
  view: View;
  at: number;
  /** Where the slider is, counted in points. */
  place: number;
  sprite: Sprite;
}

export function Thumbnails({ view, at, place, sprite }: Props) {
  const shown = landmarks(view.explorer.film.points);
  const nearest = nearestIndex(shown, place);
  return (
    // biome-ignore lint/a11y/useSemanticElements: no form
    <div class="twe-thumbnails" role="group" aria-label="Points to go to">
      {shown.map((point, index) => (
        <Thumbnail
          key={point}
          view={view}
          at={at}
          place={place}
          sprite={sprite}
          point={point}
          here={index === nearest}
        />
      ))}
    </div>
  );
}

function Thumbnail({ view, at, place, sprite, point, here }: Props & { point: number; here: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { cells, points } = view.explorer.film;
  const side = Math.min(PIXELS, Math.max(cells.width, cells.height));
  useLayoutEffect(() => {
    if (canvas.current && sprite.state === "ready") drawCell(canvas.current, sprite.bitmap, cells, point);
  }, [sprite, point, cells]);
  return (
    // The row's slider is the one stop of the Tab key, and its keys go to every point.
    <button
      type="button"
      tabIndex={-1}
      data-here={here}
      aria-current={place === point}
      aria-label={`Point ${point + 1} of ${points}`}
      title={`Go to point ${point + 1} of ${points}`}
      onClick={() => view.explorer.move(at, point)}
    >
      <canvas ref={canvas} width={side} height={side} />
    </button>
  );
}
