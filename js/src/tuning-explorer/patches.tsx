// Tuning explorer: real image patches: those nearest to the slider's point beside the image, those of both ends below.
// In: the patches' mosaic and their coordinates. Out: small images in groups.
import { useLayoutEffect, useRef } from "preact/hooks";
import { decimal } from "../shared/format";
import { drawCell } from "../shared/sprites";
import type { DimensionImages } from "./dimension-images";
import type { PatchFacts } from "./film";
import type { View } from "./view";

const PIXELS = 96;
/** The fewest patches that a column beside the image has room for: fewer would each be as large as the image. */
const ROOM = 3;

interface Source {
  view: View;
  images: DimensionImages;
  facts: PatchFacts;
}

/** How many patches the column beside the image has room for. */
export function patchRoom(facts: PatchFacts): number {
  return Math.max(ROOM, facts.each);
}

/** A column as high as the image beside it. */
export function PatchesBeside(props: Source & { point: number }) {
  return (
    <div class="twe-beside">
      <PointPatches {...props} />
    </div>
  );
}

export function PatchesOfEnds(source: Source) {
  const { view, images, facts } = source;
  const sprite = images.of(view.explorer.state.dimension);
  const ends: [name: string, point: number][] = [
    ["low end", 0],
    ["high end", view.explorer.film.points - 1],
  ];
  return (
    <section class="tw-part twe-patches" aria-label="Real patches of both ends">
      <h4 class="tw-heading">Real patches nearest to both ends, of {facts.of}</h4>
      {sprite.state === "absent" ? <p class="tw-quiet">{sprite.reason}</p> : null}
      <div>
        {ends.map(([name, point]) => (
          <figure key={name}>
            <figcaption>{name}</figcaption>
            <div>
              <PointPatches {...source} point={point} />
            </div>
          </figure>
        ))}
      </div>
    </section>
  );
}

/** Those of one point, nearest in direction first. */
function PointPatches({ view, images, facts, point }: Source & { point: number }) {
  const at = view.explorer.state.dimension;
  const coordinates = view.explorer.film.dimensions[at]?.patchCoordinate[point] ?? [];
  const sprite = images.of(at);
  return (
    <>
      {coordinates.map((coordinate, rank) => (
        <Patch
          key={rank}
          bitmap={sprite.state === "ready" ? sprite.bitmap : undefined}
          facts={facts}
          index={point * facts.each + rank}
          coordinate={coordinate}
        />
      ))}
    </>
  );
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
  const words = `a real patch at ${decimal(coordinate)}`;
  return <canvas ref={canvas} width={PIXELS} height={PIXELS} role="img" aria-label={words} title={words} />;
}
