// The explorer: the data's histogram under a slider, with the current point's place in it.
import { useMemo } from "preact/hooks";
import type { Dimension } from "./film";
import { axisOf, bars, HEIGHT, leader, rug, WIDTH } from "./geometry";

export function Histogram({ dimension, point }: { dimension: Dimension; point: number }) {
  const still = useMemo(() => {
    const axis = axisOf(dimension);
    return { axis, rug: rug(dimension, axis), bars: bars(dimension, axis) };
  }, [dimension]);
  return (
    <svg
      class="tw-histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="tw-bars" d={still.bars} />
      <path class="tw-rug" d={still.rug} />
      <path class="tw-here" d={leader(dimension, still.axis, point)} />
    </svg>
  );
}
