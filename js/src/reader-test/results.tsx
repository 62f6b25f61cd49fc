// Reader test: what came out. Nothing of it is shown before the reader is done.
// In: the answers. Out: rates with exact intervals, those of random axes, the trials that were missed, and a line to copy.
import { useState } from "preact/hooks";
import { decimal, percent } from "../shared/format";
import { Cell } from "./cell";
import type { Rate, Trials } from "./trials";

export function ResultsOf({ test }: { test: Trials }) {
  const { own, all, random, missed } = test.results();
  return (
    <section class="twq-results" aria-label="Results">
      <p>
        {random.asked > 0
          ? `You were right in ${percent(all.right / Math.max(1, all.asked))} of the trials on ${test.facts.of}s, and in ${percent(random.right / random.asked)} of those on random axes, which is what any direction of the layer would give.`
          : `You were right in ${percent(all.right / Math.max(1, all.asked))} of the trials on ${test.facts.of}s.`}
      </p>
      <table class="twq-rates">
        <caption class="tw-hidden">Right answers, with exact 95% intervals</caption>
        <thead>
          <tr>
            <th scope="col">asked about</th>
            <th scope="col">right</th>
            <th scope="col">rate</th>
            <th scope="col">95% interval</th>
          </tr>
        </thead>
        <tbody>
          {own.map((one) => (
            <Row key={one.name} rate={one} />
          ))}
        </tbody>
        <tfoot>
          <Row rate={all} />
          <Row rate={random} />
        </tfoot>
      </table>
      <Copy test={test} />
      {missed.length > 0 ? (
        <>
          <h4>Missed; the framed patch lies further</h4>
          <ul class="twq-missed">
            {missed.map(({ trial, right, name }) => (
              <li key={trial}>
                {[0, 1].map((side) => (
                  <span key={side} class={side === right ? "twq-further" : ""}>
                    <Cell
                      bytes={test.patches[trial] as DataView}
                      cells={test.facts.patch}
                      at={side}
                      name={`${side === 0 ? "left" : "right"} patch${side === right ? ", lies further" : ""}`}
                    />
                  </span>
                ))}
                <span class="tw-quiet">
                  {trial + 1}: {name}
                </span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </section>
  );
}

function Row({ rate: { name, right, asked, low, high } }: { rate: Rate }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {right} of {asked}
      </td>
      <td>{asked > 0 ? decimal(right / asked) : "–"}</td>
      <td>{asked > 0 ? `${decimal(low)} to ${decimal(high)}` : "–"}</td>
    </tr>
  );
}

function Copy({ test }: { test: Trials }) {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(test.line());
      say("Copied.");
    } catch {
      // The page was opened as a file, or the reader doesn't allow it to copy.
      say("The browser forbids copying here: select the line instead.");
    }
  };
  return (
    <div class="twq-copy">
      <label>
        Your name{" "}
        <input
          type="text"
          value={test.state.reader}
          spellcheck={false}
          onInput={(event) => test.rename(event.currentTarget.value)}
        />
      </label>
      <button type="button" class="tw-button" onClick={() => void copy()}>
        Copy answers
      </button>
      <span class="tw-quiet" role="status">
        {said}
      </span>
      <input type="text" readOnly class="twq-line" aria-label="Answers as a line" value={test.line()} />
    </div>
  );
}
