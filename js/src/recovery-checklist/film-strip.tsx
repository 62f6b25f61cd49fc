// Recovery checklist: a dozen images from the first point of the best dimension to the last.
// In: a cell. Out: the images, or why there is no film.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ImagePage } from "../shared/image-pages";
import { drawCell } from "../shared/sprites";
import type { Cell, StripFacts } from "./report";
import type { View } from "./view";
import { cellName } from "./wording";

const SHOWN = 12;
const PIXELS = 128;

/** `count` of the points, evenly spread from the first to the last. */
export function spread(points: number, count: number): number[] {
  if (points <= count) return Array.from({ length: points }, (_, at) => at);
  return Array.from({ length: count }, (_, at) => Math.round((at * (points - 1)) / (count - 1)));
}

export function FilmStrip({ view, cell }: { view: View; cell: Cell }) {
  const { checklist } = view;
  const { report, look, strips } = checklist;
  const mine = (one: StripFacts) => one.bank === look.bank && one.column === cell.column;
  const at = report.strips.findIndex(
    (one) => mine(one) && one.seed === look.seed && one.dimension === cell.best,
  );
  const strip = report.strips[at];
  if (!strip) {
    const filmed = report.strips.find(mine);
    return (
      <p class="twr-nofilm">
        {filmed ? (
          <>
            There are films of bank seed {report.seed[filmed.seed]} only.{" "}
            <button
              type="button"
              class="tw-button"
              onClick={() => checklist.choose({ seed: report.seed[filmed.seed] as number })}
            >
              Show bank seed {report.seed[filmed.seed]}
            </button>
          </>
        ) : (
          <>
            This record has no film of it; <code>gabor_recovery(films=True)</code> makes them.
          </>
        )}
      </p>
    );
  }
  if (strip.status) return <p class="twr-nofilm">No film: {strip.status}.</p>;
  const sprite = strips.of(at);
  if (sprite.state !== "ready")
    return (
      <p class="twr-nofilm">
        {sprite.reason}
        {sprite.state === "absent" ? (
          <button type="button" class="tw-button" onClick={() => strips.retry()}>
            Try again
          </button>
        ) : null}
      </p>
    );
  return (
    <ol class="twr-strip" aria-label={`Film of ${cellName(report, cell)}`}>
      {spread(strip.points, SHOWN).map((point) => (
        <li key={point}>
          <Frame sprite={sprite} strip={strip} point={point} />
        </li>
      ))}
    </ol>
  );
}

function Frame({ sprite, strip, point }: { sprite: ImagePage; strip: StripFacts; point: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current && sprite.state === "ready")
      drawCell(canvas.current, sprite.bitmap, strip.cells, point);
  }, [sprite, strip, point]);
  return (
    <>
      <canvas ref={canvas} width={PIXELS} height={PIXELS} role="img" aria-label={`point ${point + 1}`} />
      <span aria-hidden="true">{point + 1}</span>
    </>
  );
}
