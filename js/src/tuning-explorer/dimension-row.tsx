// Tuning explorer: one dimension's row.
// In: the dimension and its point. Out: label, share of variance, slider over its histogram, and images from end to end.
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
const SCALE =
  "The higher the bar over a point, the more of the data lies nearest to it; dotted where hardly any does";

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
  /** The largest share of variance among the rows. */
  mostShare: number;
  sprite: Sprite;
}

export const DimensionRow = pure((props: Props) => {
  const { view, dimension, at, active, point, together, label, waits, mark, mostShare, sprite } = props;
  const { explorer } = view;
  const title = explorer.title(at);
  const failed = dimension.status !== "";
  const last = explorer.film.points - 1;
  const onClick = (event: MouseEvent) => {
    // A click beside the row's own controls is a click on its slider.
    if (!(event.target instanceof HTMLInputElement)) view.focusRow(at);
  };
  const slider = (
    <input
      class={failed ? "tw-hidden" : "twe-slider"}
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
  );
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
        <Share share={dimension.share} most={mostShare} name={label ? dimensionName(dimension) : ""} />
      </div>
      <div class="twe-track">
        {failed ? (
          <>
            {slider}
            <p class="tw-quiet twe-status">{dimension.status}</p>
          </>
        ) : (
          <>
            <Thumbnails view={view} at={at} place={point} sprite={sprite} />
            <div class="twe-scale" title={SCALE}>
              <Histogram dimension={dimension} place={point} mark={mark} />
              {slider}
            </div>
          </>
        )}
      </div>
    </li>
  );
});

/** `name`: the dimension's own, once a label stands in its place; there is room for it or for what the share is of. */
function Share({ share, most, name }: { share: number | null; most: number; name: string }) {
  if (share === null) return <p class="twe-share">{name || "no share of variance"}</p>;
  const told = percent(share);
  return (
    <p
      class="twe-share"
      title="Share of variance; the longest bar is that of the dimension with the largest share"
    >
      <span class="twe-bar" aria-hidden="true">
        <span style={{ width: `${most > 0 ? (100 * Math.max(0, share)) / most : 0}%` }} />
      </span>
      <span>
        {name && `${name} · `}
        {told}
        {!name && <span class="twe-of"> of variance</span>}
      </span>
    </p>
  );
}
