// Tuning explorer: the data's histogram under a slider.
// In: a dimension and its current point. Out: the bars, with the point's position in them.
import { useMemo } from "preact/hooks";
import type { Dimension } from "./film";
import { axisOf, bars, HEIGHT, leader, marker, rug, WIDTH } from "./histogram-geometry";

interface Props {
  dimension: Dimension;
  point: number;
  /** A second coordinate to mark: that of a position in a photo. */
  mark: number | undefined;
}

export function Histogram({ dimension, point, mark }: Props) {
  const still = useMemo(() => {
    const axis = axisOf(dimension);
    return { axis, rug: rug(dimension, axis), bars: bars(dimension, axis) };
  }, [dimension]);
  return (
    <svg
      class="twe-histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="twe-bars" d={still.bars} />
      <path class="twe-rug" d={still.rug} />
      {mark === undefined ? null : <path class="twe-mark" d={marker(still.axis, mark)} />}
      <path class="twe-here" d={leader(dimension, still.axis, point)} />
    </svg>
  );
}
