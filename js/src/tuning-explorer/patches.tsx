// Tuning explorer: real image patches at both ends of the active dimension, and at the slider's point.
// In: the patches' mosaic and their coordinates. Out: three small groups of images.
import { useLayoutEffect, useRef } from "preact/hooks";
import { decimal } from "../shared/format";
import { drawCell } from "../shared/sprites";
import type { DimensionImages } from "./dimension-images";
import type { Dimension, PatchFacts } from "./film";
import type { View } from "./view";

const PIXELS = 96;

export function Patches({ view, images, facts }: { view: View; images: DimensionImages; facts: PatchFacts }) {
  const { explorer } = view;
  const at = explorer.state.dimension;
  const dimension = explorer.film.dimensions[at];
  if (!dimension || dimension.status) return null;
  const sprite = images.of(at);
  const places: [name: string, point: number][] = [
    ["low end", 0],
    ["here", explorer.point()],
    ["high end", explorer.film.points - 1],
  ];
  return (
    <section class="tw-part twe-patches" aria-label="Real patches">
      <h4 class="tw-heading">Real patches nearest to it, of {facts.of}</h4>
      {sprite.state === "absent" ? <p class="tw-quiet">{sprite.reason}</p> : null}
      <div>
        {places.map(([name, point]) => (
          <figure key={name}>
            <figcaption>{name}</figcaption>
            <div>
              {Array.from({ length: facts.each }, (_, rank) => (
                <Patch
                  key={rank}
                  bitmap={sprite.state === "ready" ? sprite.bitmap : undefined}
                  facts={facts}
                  index={point * facts.each + rank}
                  coordinate={coordinateOf(dimension, point, rank)}
                />
              ))}
            </div>
          </figure>
        ))}
      </div>
    </section>
  );
}

function coordinateOf(dimension: Dimension, point: number, rank: number): number | null {
  return dimension.patchCoordinate[point]?.[rank] ?? null;
}

interface PatchProps {
  bitmap: ImageBitmap | undefined;
  facts: PatchFacts;
  index: number;
  coordinate: number | null;
}

function Patch({ bitmap, facts, index, coordinate }: PatchProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current && bitmap) drawCell(canvas.current, bitmap, facts.cells, index);
  }, [bitmap, facts, index]);
  // A point may have fewer patches than there is room for.
  if (coordinate === null) return null;
  const words = `a patch at ${decimal(coordinate)}`;
  return <canvas ref={canvas} width={PIXELS} height={PIXELS} role="img" aria-label={words} title={words} />;
}
