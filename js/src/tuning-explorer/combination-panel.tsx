// Tuning explorer: the panel on the right while all sliders move together.
// In: the combination, whose image grows as it is made. Out: the image, and the buttons to stop, keep or leave it.
import { useLayoutEffect, useRef } from "preact/hooks";
import { decimal } from "../shared/format";
import { drawCell } from "../shared/sprites";
import { TroubleBox } from "../shared/trouble-box";
import { canvasSize } from "./canvas-size";
import type { Combination } from "./combination";
import { UnitBars } from "./heaviest-units";
import type { Kept } from "./kept-images";
import { Alignment } from "./trust";
import type { View } from "./view";

export function CombinationPanel({ view, combination }: { view: View; combination: Combination }) {
  const { explorer } = view;
  const { facts, stage, busy, trouble } = combination;
  const gone = combination.kernel.state === "gone";
  // An image stays as far as it has come. Before that, the record's own image of these coordinates is shown, or the
  // nearest one on the active row.
  const own = facts !== undefined && stage !== "failed" && !(gone && stage !== "done");
  return (
    <section class="twe-stage twe-together" aria-label="Image of all sliders together">
      <div class="twe-look">
        <div class="twe-pictures">
          <div class="twe-screen" data-stage={stage}>
            <Screen view={view} combination={combination} own={own} />
            {busy ? (
              <progress
                class="tw-growth"
                max={facts?.steps ?? 1}
                value={stage === "asked" ? 0 : (facts?.step ?? 0)}
              >
                growing
              </progress>
            ) : null}
          </div>
        </div>
        <div class="twe-controls">
          <button
            type="button"
            class="twe-play twe-walk"
            aria-pressed={explorer.walking}
            disabled={gone}
            onClick={() => explorer.toggleWalk()}
          >
            {explorer.walking ? "Stop walk" : "Random walk"}
          </button>
          <p class="twe-title">{own ? "All sliders together" : standIn(view)}</p>
          <p class="twe-count">{own ? status(combination) : "from the record"}</p>
        </div>
        {trouble && !gone ? <TroubleBox trouble={trouble} /> : null}
        <div class="twe-actions">
          <Keep view={view} combination={combination} own={own} />
          {busy ? (
            <button type="button" class="tw-button" onClick={() => explorer.stop()}>
              Stop
            </button>
          ) : stage === "stopped" || stage === "failed" ? (
            <button type="button" class="tw-button" onClick={() => explorer.again()}>
              {stage === "stopped" ? "Go on" : "Try again"}
            </button>
          ) : null}
          <button type="button" class="tw-button" onClick={() => explorer.goTo(combination.home)}>
            All to the mean
          </button>
        </div>
      </div>
      <div class="twe-details">
        {own && facts ? (
          <>
            <dl class="tw-part tw-numbers">
              <div>
                <dt>cosine reached</dt>
                <dd>
                  {decimal(facts.cosine)} {facts.cosine === null ? null : <Alignment cosine={facts.cosine} />}
                </dd>
              </div>
              <Origin view={view} from={facts.from} />
            </dl>
            <UnitBars view={view} units={facts.units} weights={facts.weights} />
          </>
        ) : null}
        <KeptStrip view={view} kept={explorer.kept.list} />
      </div>
    </section>
  );
}

function status({ stage, facts }: Combination): string {
  if (stage === "asked") return "asked";
  if (stage === "growing" || stage === "stopped")
    return `step ${facts?.step ?? 0} / ${facts?.steps ?? 0}${stage === "stopped" ? ", stopped" : ""}`;
  return stage === "done" ? "finished" : "";
}

/** Title and point of the record's image that is shown instead. */
function standIn({ explorer }: View): string {
  const { dimension, coordinates } = explorer.state;
  if (explorer.kept.at(coordinates)) return "Kept image";
  return `${explorer.title(dimension)}, point ${explorer.nearestPoint(dimension) + 1}`;
}

function Screen({ view, combination, own }: { view: View; combination: Combination; own: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { explorer } = view;
  const { cells } = explorer.film;
  const { dimension, coordinates } = explorer.state;
  const bitmap = own ? combination.bitmap : explorer.kept.at(coordinates)?.bitmap;
  const sprite = explorer.images.of(dimension);
  const point = explorer.nearestPoint(dimension);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    if (bitmap) {
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, 0, 0, canvas.current.width, canvas.current.height);
    } else if (!own && sprite.state === "ready") {
      drawCell(canvas.current, sprite.bitmap, cells, point);
    }
    view.drawn();
  }, [view, own, bitmap, sprite, point, cells]);
  return (
    <canvas
      ref={canvas}
      class="twe-picture"
      role="img"
      aria-label={own ? "The image for where all sliders stand" : `Of the record: ${standIn(view)}`}
      {...canvasSize(cells)}
    />
  );
}

function Keep({ view, combination, own }: { view: View; combination: Combination; own: boolean }) {
  const { explorer } = view;
  const kept = explorer.kept.at(explorer.state.coordinates) !== undefined;
  return (
    <button
      type="button"
      class="tw-button"
      disabled={kept || !own || combination.stage !== "done"}
      onClick={() => explorer.keep()}
    >
      {kept ? "In the record" : "Add to record"}
    </button>
  );
}

function Origin({ view, from }: { view: View; from: [number | null, number, number] }) {
  const { explorer } = view;
  const [row, dimension, point] = from;
  const shown = row === null ? undefined : explorer.film.dimensions[row];
  const title = shown && row !== null ? explorer.title(row) : `dimension ${dimension}`;
  return (
    <div>
      <dt>grown from</dt>
      <dd class="twe-origin">
        {shown && row !== null ? (
          <button
            type="button"
            class="tw-link"
            title="Go to this image’s coordinates"
            onClick={() => explorer.goToFilm(row, point)}
          >
            {title}, point {point + 1}
          </button>
        ) : (
          `${title}, point ${point + 1}`
        )}
      </dd>
    </div>
  );
}

function KeptStrip({ view, kept }: { view: View; kept: readonly Kept[] }) {
  if (kept.length === 0) return null;
  return (
    <section class="tw-part twe-kept" aria-label="Images kept in the record">
      <h4 class="tw-heading">Kept in the record: click one to go there</h4>
      <div>
        {kept.map((one, at) => (
          <KeptImage
            key={at}
            kept={one}
            bitmap={one.bitmap}
            name={`Kept image ${at + 1}`}
            onGo={() => view.explorer.goTo(one.coordinates)}
          />
        ))}
      </div>
    </section>
  );
}

interface KeptProps {
  kept: Kept;
  bitmap: ImageBitmap | undefined;
  name: string;
  onGo: () => void;
}

function KeptImage({ kept, bitmap, name, onGo }: KeptProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (bitmap) canvas.current?.getContext("2d")?.drawImage(bitmap, 0, 0, 96, 96);
  }, [bitmap]);
  return (
    <button
      type="button"
      aria-label={name}
      title={`${kept.coordinates.map((each) => decimal(each)).join(", ")}; cosine ${decimal(kept.cosine)}`}
      onClick={onGo}
    >
      <canvas ref={canvas} width={96} height={96} />
    </button>
  );
}
