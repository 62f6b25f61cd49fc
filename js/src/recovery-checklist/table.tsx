// The checklist's table: a row an attribute, a column a method with its number of components.
import { decimal } from "../shared/format";
import { Mark } from "./mark";
import type { Cell } from "./report";
import type { View } from "./view";
import { capital, cellWords, pText } from "./words";

export function Table({ view }: { view: View }) {
  const { report, cells } = view.checklist;
  const width = report.columns.length;
  return (
    <div class="twr-scroll">
      <table class="twr-table" style={{ "--columns": width }}>
        <thead>
          <tr>
            <td />
            {report.columns.map((column) => (
              <th key={column.name} scope="col">
                {column.name}
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
        </tbody>
      </table>
    </div>
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
      aria-label={cellWords(checklist, cell)}
      title={cell.reason || undefined}
      onFocus={() => at !== view.at && view.set({ at })}
      onClick={() => {
        view.set({ at });
        checklist.open(open ? "" : cell.key);
      }}
    >
      <span class="twr-marks">
        <span>
          <Mark value={cell.inSubspace} />
          {films ? null : <span class="twr-wide">subspace</span>}
        </span>
        {films ? null : (
          <span>
            <Mark value={cell.onAxis} />
            <span class="twr-wide">axis</span>
          </span>
        )}
      </span>
      {films && cell.seeds > 0 ? null : cell.seeds > 0 ? (
        <span class="twr-share">
          <span class="twr-bar">
            <span style={{ width: `${(100 * cell.recovering) / cell.seeds}%` }} />
          </span>
          {cell.recovering}/{cell.seeds}
        </span>
      ) : (
        <span class="twr-share twr-gone">not there</span>
      )}
      {view.numbers && cell.p !== null ? (
        <span class="twr-numbers">
          <span>p {pText(cell.p)}</span>
          <span>D {decimal(cell.sweep)}</span>
          <span>η {decimal(cell.smoothness)}</span>
        </span>
      ) : null}
      <span class="twr-paper">
        {cell.paper === null ? (
          <span class="twr-wide">not in paper</span>
        ) : (
          <>
            <span class="twr-word">paper </span>
            <Mark value={cell.paper} small />
          </>
        )}
      </span>
      <span class={`twr-verdict${verdict ? " twr-given" : ""}`}>
        {verdict ? (
          <>
            <span class="twr-wide">you: </span>
            {verdict}
          </>
        ) : (
          <span class="twr-wide">not judged</span>
        )}
        {state.notes[cell.key] ? <span class="twr-noted"> ✎</span> : null}
      </span>
    </button>
  );
}
