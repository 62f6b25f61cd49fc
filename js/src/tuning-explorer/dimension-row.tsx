// Tuning explorer: one dimension's row.
// In: the dimension and its point. Out: label, share of variance, slider over its histogram, and three small images.
import { decimal, percent } from "../shared/format";
import { pure } from "../shared/pure";
import type { Sprite } from "./dimension-images";
import { type Dimension, dimensionName } from "./film";
import { Histogram } from "./histogram";
import { coordinateAt } from "./slider-scale";
import { Suggestion } from "./suggestion";
import { Thumbnails } from "./thumbnails";
import type { View } from "./view";

/** A slider's step between the film's points. */
const FINE = 0.02;

interface Props {
  view: View;
  dimension: Dimension;
  at: number;
  active: boolean;
  /** The slider's position; between two points if all sliders move together. */
  point: number;
  together: boolean;
  label: string;
  /** Whether its suggestion awaits the reader's decision. */
  waits: boolean;
  /** The coordinate of the position marked in the photo. */
  mark: number | undefined;
  sprite: Sprite;
}

export const DimensionRow = pure((props: Props) => {
  const { view, dimension, at, active, point, together, label, waits, mark, sprite } = props;
  const { explorer } = view;
  const title = explorer.title(at);
  const failed = dimension.status !== "";
  const last = explorer.film.points - 1;
  const onClick = (event: MouseEvent) => {
    // A click beside the row's own controls is a click on its slider.
    if (!(event.target instanceof HTMLInputElement)) view.focusRow(at);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys reach every row through the view's own key map
    <li
      class="twe-row"
      aria-label={title}
      aria-current={active}
      tabIndex={-1}
      onFocusCapture={() => explorer.select(at)}
      onClick={onClick}
    >
      <div>
        <input
          class="twe-label"
          type="text"
          value={label}
          placeholder={dimensionName(dimension)}
          aria-label={`Label of ${dimensionName(dimension)}`}
          spellcheck={false}
          onInput={(event) => explorer.relabel(at, event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === "Escape") view.focusRow(at);
          }}
        />
        {waits ? <Suggestion view={view} dimension={dimension} at={at} /> : null}
        <Share share={dimension.share} />
      </div>
      {failed ? null : <Thumbnails view={view} at={at} sprite={sprite} />}
      <div class={failed ? "twe-track twe-track-failed" : "twe-track"}>
        <input
          class="twe-slider"
          type="range"
          min={0}
          max={last}
          step={together ? FINE : 1}
          value={point}
          disabled={failed}
          aria-label={`${title}, point`}
          aria-valuetext={
            together
              ? `coordinate ${decimal(coordinateAt(dimension.coordinate, point))}`
              : `point ${point + 1} of ${last + 1}, coordinate ${decimal(dimension.coordinate[point])}`
          }
          onInput={(event) => explorer.move(at, event.currentTarget.valueAsNumber)}
        />
        {failed ? (
          <p class="tw-quiet twe-status">{dimension.status}</p>
        ) : (
          <Histogram dimension={dimension} point={point} mark={mark} />
        )}
      </div>
    </li>
  );
});

function Share({ share }: { share: number | null }) {
  if (share === null) return <p class="twe-share">no share of variance</p>;
  return (
    <p class="twe-share">
      <span class="twe-bar" aria-hidden="true">
        <span style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />
      </span>
      <span>{percent(share)} of variance</span>
    </p>
  );
}
