// Recovery checklist: the table, one row per attribute and one column per method and number of components.
// In: a view. Out: cells with their marks.
import { capital, decimal, percent } from "../shared/format";
import { MarkIcon } from "./mark-icon";
import { type AllThree, allThreeOf, type Cell, type Mark } from "./report";
import type { View } from "./view";
import { allThreeWords, cellWords, pText } from "./wording";

export function Table({ view }: { view: View }) {
  const { report, cells, look } = view.checklist;
  const together = allThreeOf(report, look);
  const width = report.columns.length;
  const longest = Math.max(...report.attribute.map((name) => name.length));
  return (
    <div class="twr-scroll">
      <table class="twr-table" style={{ "--columns": width, "--longest": longest }}>
        <thead>
          <tr>
            <td />
            {report.columns.map((column) => (
              <th key={column.name} scope="col" title={column.name}>
                {column.name.split(" ").map((word, at) => [at > 0 && " ", <span key={word}>{word}</span>])}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.attribute.map((name, attribute) => (
            <tr key={name}>
              <th scope="row">{capital(name)}</th>
              {cells.slice(attribute * width, (attribute + 1) * width).map((cell, column) => (
                <td key={cell.key}>
                  <Square view={view} cell={cell} at={attribute * width + column} />
                </td>
              ))}
            </tr>
          ))}
          {together.length > 0 ? (
            <tr class="twr-together">
              <th scope="row">All three</th>
              {together.map((one) => (
                <td key={one.column}>
                  <Together view={view} one={one} />
                </td>
              ))}
            </tr>
          ) : null}
        </tbody>
      </table>
    </div>
  );
}

/** What a column says about all attributes at once. Nothing opens: its films are those of the cells above. */
function Together({ view, one }: { view: View; one: AllThree }) {
  const { report } = view.checklist;
  const [low, high] = report.intervals[String(one.seeds)]?.[one.recovering] ?? [];
  return (
    <div class="twr-all">
      <span class="tw-hidden">{allThreeWords(report, one)}</span>
      <span class="twr-seen" aria-hidden="true">
        <span class="twr-marks">
          <span>
            <MarkIcon value={one.recovered} />
            <span class="twr-wide">by Holm</span>
          </span>
        </span>
        <Share of={one} />
        {one.seeds > 1 ? (
          <span class="twr-range">
            {percent(low).slice(0, -1)}–{percent(high).slice(0, -1)}
            <span class="twr-word">%</span>
          </span>
        ) : null}
        {view.numbers && one.p !== null ? (
          <span class="twr-numbers">
            <span>p {pText(one.p)}</span>
          </span>
        ) : null}
        <Paper value={one.paper} />
      </span>
    </div>
  );
}

function Share({ of: { recovering, seeds } }: { of: { recovering: number; seeds: number } }) {
  return seeds > 0 ? (
    <span class="twr-share">
      <span class="twr-bar">
        <span style={{ width: `${(100 * recovering) / seeds}%` }} />
      </span>
      {recovering}/{seeds}
    </span>
  ) : (
    <span class="twr-share twr-gone">not there</span>
  );
}

function Paper({ value }: { value: Mark }) {
  return (
    <span class="twr-paper">
      {value === null ? (
        <span class="twr-wide">not in paper</span>
      ) : (
        <>
          <span class="twr-word">paper </span>
          <MarkIcon value={value} small />
        </>
      )}
    </span>
  );
}

function Square({ view, cell, at }: { view: View; cell: Cell; at: number }) {
  const { checklist } = view;
  const { state } = checklist;
  const films = checklist.report.subject === "films";
  const open = state.opened === cell.key;
  const verdict = state.verdicts[cell.key];
  return (
    <button
      type="button"
      class="twr-cell"
      tabIndex={at === view.at ? 0 : -1}
      aria-expanded={open}
      title={cell.reason || undefined}
      onFocus={() => at !== view.at && view.set({ at })}
      onClick={() => {
        view.set({ at });
        checklist.open(open ? "" : cell.key);
      }}
    >
      {/* A screen reader would read the drawing as fragments. */}
      <span class="tw-hidden">{cellWords(checklist, cell)}</span>
      <span class="twr-face" aria-hidden="true">
        <span class="twr-marks">
          <span>
            <MarkIcon value={cell.inSubspace} />
            {films ? null : <span class="twr-wide">subspace</span>}
          </span>
          {films ? null : (
            <span>
              <MarkIcon value={cell.onAxis} />
              <span class="twr-wide">axis</span>
            </span>
          )}
        </span>
        {films && cell.seeds > 0 ? null : <Share of={cell} />}
        {view.numbers && cell.p !== null ? (
          <span class="twr-numbers">
            <span>p {pText(cell.p)}</span>
            <span>D {decimal(cell.sweep)}</span>
            <span>η {decimal(cell.smoothness)}</span>
          </span>
        ) : null}
        <Paper value={cell.paper} />
        <span class={`twr-verdict${verdict ? " twr-given" : ""}`}>
          {verdict ? (
            <>
              <span class="twr-wide">you: </span>
              {verdict}
            </>
          ) : (
            <span class="twr-wide">not judged</span>
          )}
          {state.notes[cell.key] ? " ✎" : null}
        </span>
      </span>
    </button>
  );
}
