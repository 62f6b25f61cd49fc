// Recovery checklist: the panel of the opened cell.
// In: a cell. Out: its film, the readout along its points, both nulls, all bank seeds, and the verdict.
import { useEffect } from "preact/hooks";
import { capital, decimal, percent } from "../shared/format";
import { FilmStrip } from "./film-strip";
import { MarkIcon } from "./mark-icon";
import { NullPlot } from "./null-plot";
import { ReadoutPlot } from "./readout-plot";
import { type Cell, overSeeds } from "./report";
import { levelText } from "./switches";
import { Verdict } from "./verdict";
import type { View } from "./view";
import { cellName, markWord, pText } from "./wording";

export function CellPanel({ view, cell }: { view: View; cell: Cell }) {
  const { checklist } = view;
  const { report, state } = checklist;
  const name = capital(cellName(report, cell));
  const of = report.subject === "films" ? "" : `, bank seed ${state.seed}`;
  useEffect(() => view.clock.shown("open"), [view, cell]);
  return (
    <section class="twr-detail" aria-label={name}>
      <header class="twr-title">
        <h4>{name}</h4>
        <p>{cell.best >= 0 ? `dimension ${cell.best} (they count from 0)${of}` : ""}</p>
        <button
          type="button"
          class="tw-button"
          onClick={() => {
            checklist.open("");
            view.focusCell();
          }}
        >
          Close
        </button>
      </header>
      {cell.reason ? (
        <p class="tw-note twr-reason">
          <b>Not there:</b> {cell.reason}. This is not a no.
        </p>
      ) : null}
      {cell.best >= 0 ? <FilmStrip view={view} cell={cell} /> : null}
      <Verdict view={view} cell={cell} />
      {cell.best >= 0 ? (
        <>
          <Facts view={view} cell={cell} />
          <div class="twr-plots">
            <ReadoutPlot view={view} cell={cell} />
            <NullPlot view={view} cell={cell} which={0} />
            {report.subject === "films" ? null : <NullPlot view={view} cell={cell} which={1} />}
          </div>
        </>
      ) : null}
      <Seeds view={view} cell={cell} />
    </section>
  );
}

function Facts({ view, cell }: { view: View; cell: Cell }) {
  const { report, state } = view.checklist;
  const level = levelText(state.alpha);
  const films = report.subject === "films";
  return (
    <div class="twr-facts">
      <dl class="tw-numbers">
        <div>
          <dt>
            <MarkIcon value={cell.inSubspace} /> {films ? "beyond random axes" : "in the subspace"}
          </dt>
          <dd>p = {pText(cell.p)}</dd>
        </div>
        {films ? null : (
          <div>
            <dt>
              <MarkIcon value={cell.onAxis} /> on the axis
            </dt>
            <dd>{cell.pRotation === null ? "no such test here" : `p = ${pText(cell.pRotation)}`}</dd>
          </div>
        )}
        <div>
          <dt>sweep D, {films ? unitOf(report.attribute[cell.attribute]) : "bank’s standard deviations"}</dt>
          <dd>{decimal(cell.sweep)}</dd>
        </div>
        <div>
          <dt>smoothness η</dt>
          <dd>{decimal(cell.smoothness)}</dd>
        </div>
      </dl>
      <p class="tw-quiet">
        A mark needs p ≤ {level} and η ≥ {decimal(report.smooth)}.{fewer(cell, state.readout === "image")}
      </p>
    </div>
  );
}

/** Why the null’s observed value differs from the sweep above it: the comparison uses as many points as chance’s films have. */
function fewer({ observed, sweep }: Cell, pictures: boolean): string {
  if (!pictures || observed === null || decimal(observed) === decimal(sweep)) return "";
  return ` Chance’s films have fewer points; at as many, D is ${decimal(observed)}.`;
}

const UNITS: Record<string, string> = {
  frequency: "octaves",
  angle: "of the doubled angle’s circle",
  phase: "skewness",
};

function unitOf(attribute = ""): string {
  return UNITS[attribute] ?? "chroma of both hues";
}

function Seeds({ view, cell }: { view: View; cell: Cell }) {
  const { checklist } = view;
  const { report, state, look } = checklist;
  const marks = overSeeds(report, cell.attribute, cell.column, look);
  if (marks.length < 2) return null;
  const [low, high] = report.intervals[String(cell.seeds)]?.[cell.recovering] ?? [];
  return (
    <div class="twr-seeds">
      <p>
        {cell.seeds > 0
          ? `${cell.recovering} of ${cell.seeds} bank seeds recover it in the subspace: ${percent(cell.recovering / cell.seeds)}, 95% interval ${percent(low)} to ${percent(high)}.`
          : "No bank seed has this cell."}
      </p>
      <ol>
        {marks.map((mark, at) => (
          <li key={report.seed[at]}>
            <button
              type="button"
              aria-pressed={report.seed[at] === state.seed}
              aria-label={`bank seed ${report.seed[at]}: ${markWord(mark)}`}
              onClick={() => checklist.choose({ seed: report.seed[at] as number })}
            >
              <MarkIcon value={mark} />
              <span>{report.seed[at]}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
