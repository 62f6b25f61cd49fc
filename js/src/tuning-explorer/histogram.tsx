// The explorer: the data's histogram under a slider, with the current point's place in it.
import { useMemo } from "preact/hooks";
import type { Dimension } from "./film";
import { axisOf, bars, COMB, comb, HEIGHT, place, tooth, WIDTH } from "./geometry";

export function Histogram({ dimension, point }: { dimension: Dimension; point: number }) {
  const still = useMemo(() => {
    const axis = axisOf(dimension);
    return { axis, comb: comb(dimension, axis), bars: bars(dimension, axis) };
  }, [dimension]);
  const x = place(still.axis, dimension.coordinate[point] ?? still.axis.low).toFixed(1);
  return (
    <svg
      class="tw-histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="tw-comb" d={still.comb} />
      <path class="tw-bars" d={still.bars} />
      <path class="tw-here" d={`${tooth(dimension, still.axis, point)}M${x} ${COMB}V${HEIGHT}`} />
    </svg>
  );
}
