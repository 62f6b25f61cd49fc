// Tuning explorer: the data over a slider, a bar per point.
// In: a dimension and the slider's place. Out: the bars, that of the place told apart, and the line that its thumb moves along.
import { useMemo } from "preact/hooks";
import { sharesOf } from "./data-near-points";
import type { Dimension } from "./film";
import { bar, bars, HEIGHT, line, marker, WIDTH } from "./histogram-geometry";
import { sliderPosition } from "./slider-scale";

interface Props {
  dimension: Dimension;
  place: number;
  /** A second coordinate to mark: that of a position in a photo. */
  mark: number | undefined;
}

export function Histogram({ dimension, place, mark }: Props) {
  const { coordinate } = dimension;
  const still = useMemo(() => {
    const shares = sharesOf(dimension);
    return { shares, bars: bars(shares), ...line(shares, coordinate.length) };
  }, [dimension, coordinate]);
  return (
    <svg
      class="twe-histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="twe-bars" d={still.bars} />
      <path class="twe-here" d={bar(still.shares, Math.round(place))} />
      <path class="twe-held" d={still.held} />
      <path class="twe-few" d={still.few} />
      {mark === undefined ? null : (
        <path class="twe-mark" d={marker(sliderPosition(coordinate, mark), coordinate.length)} />
      )}
    </svg>
  );
}
