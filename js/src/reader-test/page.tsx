// Reader test: the whole widget on the page.
// In: the test. Out: where it is from, the trial that waits or the results, and the buttons below.
import { Announcements } from "../shared/announcements";
import { useChanges } from "../shared/use-changes";
import { ResultsOf } from "./results";
import { Trial } from "./trial";
import type { Trials } from "./trials";

export function Page({ test, signal }: { test: Trials; signal: AbortSignal }) {
  useChanges(signal, test);
  const { facts, waiting, count, done, state } = test;
  return (
    <>
      <header class="tw-header">
        <p class="tw-source">
          <strong>{facts.model}</strong>
          <code>{facts.layer}</code>
          <span>test yourself</span>
        </p>
        <p class="tw-keys" aria-hidden="true">
          <kbd>←</kbd>
          <kbd>→</kbd> choose <kbd>U</kbd> undo <kbd>Esc</kbd> stop
        </p>
      </header>
      {done ? <ResultsOf test={test} /> : <Trial test={test} trial={waiting} />}
      <div class="twq-below">
        <progress max={count} value={waiting} aria-label="Trials answered" />
        <span class="tw-quiet">
          {waiting} of {count} answered
        </span>
        <button
          type="button"
          class="tw-button"
          disabled={waiting === 0 || (state.finished && waiting < count)}
          onClick={() => test.undo()}
        >
          Undo
        </button>
        {done ? (
          <button type="button" class="tw-button" disabled={waiting === count} onClick={() => test.goOn()}>
            Go on
          </button>
        ) : (
          <button type="button" class="tw-button" disabled={waiting === 0} onClick={() => test.stop()}>
            Stop and see
          </button>
        )}
      </div>
      <Announcements text={done ? "The results are shown" : `Trial ${waiting + 1} of ${count}`} />
    </>
  );
}
