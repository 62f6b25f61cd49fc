// Recovery checklist: the reader's own verdict on the opened cell, and a note.
// In: a cell. Out: three buttons and a line of text.
import { type Cell, VERDICTS } from "./report";
import type { View } from "./view";
import { cellName } from "./wording";

export function Verdict({ view, cell }: { view: View; cell: Cell }) {
  const { checklist } = view;
  const { report, state } = checklist;
  const given = state.verdicts[cell.key];
  return (
    <div class="twr-judge">
      <fieldset class="tw-choice">
        <legend class="tw-hidden">Your verdict on {cellName(report, cell)}</legend>
        <b>Does {report.attribute[cell.attribute]} change along it?</b>
        <span class="tw-segments">
          {VERDICTS.map((verdict) => (
            <button
              key={verdict}
              type="button"
              aria-pressed={given === verdict}
              onClick={() => checklist.judge(cell.key, verdict)}
            >
              {verdict === given ? "✓ " : ""}
              {verdict}
            </button>
          ))}
        </span>
      </fieldset>
      <label class="twr-text">
        <span class="tw-quiet">Note</span>
        <input
          type="text"
          value={state.notes[cell.key] ?? ""}
          placeholder="what you see, or doubt"
          spellcheck={false}
          onInput={(event) => checklist.note(cell.key, event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" && event.key !== "Escape") return;
            // Otherwise the same key press would also click the cell that gets the focus.
            event.preventDefault();
            view.focusCell();
          }}
        />
      </label>
    </div>
  );
}
