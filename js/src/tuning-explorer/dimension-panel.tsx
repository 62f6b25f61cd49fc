// Tuning explorer: the panel on the right with the active dimension's image.
// In: the active dimension and its point. Out: the image, and what is known of that point.
import { useLayoutEffect, useRef } from "preact/hooks";
import { decimal, percent } from "../shared/format";
import { drawCell } from "../shared/sprites";
import { canvasSize } from "./canvas-size";
import { ClassEffects, signed } from "./class-effects";
import { CombinationPanel } from "./combination-panel";
import type { Sprite } from "./dimension-images";
import type { Effects } from "./film";
import { UnitBars } from "./heaviest-units";
import { axisOf } from "./histogram-geometry";
import { PatchesBeside, PatchesOfEnds, patchRoom } from "./patches";
import { Trust } from "./trust";
import type { View } from "./view";

export function DimensionPanel({ view }: { view: View }) {
  const { explorer } = view;
  const { film, state, combination } = explorer;
  if (combination && explorer.combining) return <CombinationPanel view={view} combination={combination} />;
  const dimension = film.dimensions[state.dimension];
  if (!dimension) return null;
  const point = explorer.point();
  const sprite = explorer.images.of(state.dimension);
  const title = explorer.title();
  const failed = dimension.status !== "";
  const patches = explorer.patches && film.patches && { images: explorer.patches, facts: film.patches };
  const beside = !failed && patches;
  const axis = axisOf(dimension);
  const digits = Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(axis.high - axis.low))));
  return (
    <section class="twe-stage" aria-label="Image of the active dimension">
      <div class="twe-look">
        <div
          class="twe-pictures"
          style={
            beside
              ? { "--twe-room": patchRoom(beside.facts), "--twe-wide": `${patchRoom(beside.facts)}fr` }
              : undefined
          }
        >
          <div class="twe-screen">
            {failed ? (
              <p class="twe-empty">{dimension.status}</p>
            ) : (
              <Picture view={view} sprite={sprite} point={point} name={`${title}, point ${point + 1}`} />
            )}
          </div>
          {beside ? <PatchesBeside view={view} point={point} {...beside} /> : null}
        </div>
        {beside ? (
          <p class="tw-quiet twe-caption">Made for this point; beside it, the real patches nearest to it</p>
        ) : null}
        <div class="twe-controls">
          <button
            type="button"
            class="twe-play"
            aria-pressed={state.playing}
            disabled={failed}
            onClick={() => explorer.togglePlaying()}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d={state.playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4.5 2.5l9 5.5-9 5.5z"} />
            </svg>
            {state.playing ? "Stop" : "Play"}
          </button>
          <p class="twe-title">{title}</p>
          <p class="twe-count">{failed ? "not shown" : `${point + 1} / ${film.points}`}</p>
        </div>
        {failed ? null : (
          <>
            <Trust dimension={dimension} point={point} />
            <dl class="tw-part tw-numbers">
              <Fact name="coordinate" value={decimal(dimension.coordinate[point], digits)} />
              <Fact name="of the data below" value={percent(dimension.quantile[point])} />
              <Fact name="cosine reached" value={decimal(dimension.cosine[point])} />
              {dimension.stability === null ? null : (
                <Fact name="comes back" value={decimal(dimension.stability)} title={STABILITY} />
              )}
              {dimension.effects ? (
                <Fact
                  name="loss without it"
                  value={lossWithout(dimension.effects)}
                  title={random(dimension.effects)}
                />
              ) : null}
            </dl>
          </>
        )}
      </div>
      {failed ? null : (
        <div class="twe-details">
          {dimension.effects ? <ClassEffects effects={dimension.effects} point={point} /> : null}
          {patches ? <PatchesOfEnds view={view} {...patches} /> : null}
          <UnitBars
            view={view}
            units={dimension.units[point] ?? []}
            weights={dimension.weights[point] ?? []}
          />
        </div>
      )}
    </section>
  );
}

const STABILITY =
  "Fitted again with another seed on resampled photographs: the median cosine between this dimension and its match";

function lossWithout({ loss, lossError }: Effects): string {
  return lossError === null ? signed(loss) : `${signed(loss)} ± ${decimal(lossError)}`;
}

function random({ p }: Effects): string {
  const what =
    "By how much the network's loss rises, with its standard error, when this dimension is taken out";
  return p === null ? what : `${what}; p = ${decimal(p)} among random directions of equal variance`;
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Picture({ view, sprite, point, name }: { view: View; sprite: Sprite; point: number; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { cells } = view.explorer.film;
  useLayoutEffect(() => {
    if (!canvas.current || sprite.state !== "ready") return;
    drawCell(canvas.current, sprite.bitmap, cells, point);
    view.drawn();
  }, [view, sprite, point, cells]);
  return (
    <>
      <canvas
        ref={canvas}
        class="twe-picture"
        role="img"
        aria-label={name}
        {...canvasSize(cells)}
        hidden={sprite.state !== "ready"}
        onClick={() => view.focusRow(view.explorer.state.dimension)}
      />
      {sprite.state === "loading" && <p class="twe-empty">loading from the kernel…</p>}
      {sprite.state === "absent" && (
        <p class="twe-empty">
          {sprite.reason}
          <button type="button" class="tw-button" onClick={() => view.explorer.images.retry()}>
            Try again
          </button>
        </p>
      )}
    </>
  );
}
