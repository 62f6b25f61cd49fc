// Recovery checklist: the whole widget on the page.
// In: a view. Out: the switches, the table of marks, and the opened cell below it.
import { useEffect, useRef } from "preact/hooks";
import { Announcements } from "../shared/announcements";
import { listenToKeys } from "../shared/keyboard";
import { useChanges } from "../shared/use-changes";
import { CellPanel } from "./cell-panel";
import { CopyTable } from "./copy-table";
import { Legend } from "./legend";
import { Switches } from "./switches";
import { Table } from "./table";
import type { View } from "./view";
import { agreementWords, describe } from "./wording";

export function Page({ view }: { view: View }) {
  useChanges(view.signal, view.checklist, view.checklist.strips, view);
  const { checklist } = view;
  const { report, state } = checklist;
  const work = useRef<HTMLDivElement>(null);
  // The switches' lists keep their own arrow keys.
  useEffect(() => {
    const ending = new AbortController();
    if (work.current) listenToKeys(work.current, view.keys, ending.signal);
    return () => ending.abort();
  }, [view]);
  useEffect(() => view.clock.painted(), [view]);
  const opened = state.opened ? checklist.cell(state.opened) : undefined;
  return (
    <>
      <header class="tw-header">
        <p class="tw-source">
          <strong>{report.model}</strong>
          <span>{report.subject === "films" ? "what are its dimensions about?" : "what is recovered?"}</span>
        </p>
        <p class="tw-keys" aria-hidden="true">
          <kbd>←</kbd>
          <kbd>↑</kbd>
          <kbd>↓</kbd>
          <kbd>→</kbd> cell <kbd>Enter</kbd> open <kbd>Y</kbd>
          <kbd>N</kbd>
          <kbd>U</kbd> your verdict
        </p>
      </header>
      <Switches view={view} />
      <div ref={work}>
        <Table view={view} />
        <Legend view={view} />
        <div class="twr-below">
          <p class="twr-agreement">{agreementWords(checklist)}</p>
          <CopyTable view={view} />
        </div>
        {opened ? (
          <CellPanel key={opened.key} view={view} cell={opened} />
        ) : (
          <p class="tw-invitation">
            <b>No cell is open.</b> Open one to see the film of its best dimension, what the{" "}
            {report.subject === "films" ? "pictures" : "filters"} say along it, and how far chance would get;
            then say whether you see it.
          </p>
        )}
      </div>
      <Announcements text={describe(checklist)} />
    </>
  );
}
