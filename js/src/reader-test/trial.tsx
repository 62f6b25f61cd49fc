// Reader test: one trial. References of both ends, and the two patches between which the reader chooses.
// In: the test, and which trial waits. Out: a press of a patch, or of an arrow key, is the answer.
import { Cell } from "./cell";
import type { Side, Trials } from "./trials";

const SIDES = [
  { side: 0, name: "left", key: "←" },
  { side: 1, name: "right", key: "→" },
] as const;

export function Trial({ test, trial }: { test: Trials; trial: number }) {
  const { facts } = test;
  const references = test.references[facts.question[trial] ?? 0];
  const patches = test.patches[trial];
  if (!references || !patches) return null;
  return (
    <section class="twq-trial" aria-label={`Trial ${trial + 1} of ${test.count}`}>
      <p class="twq-question">
        Which patch is more like <b>these</b>, and less like those below?
      </p>
      <References bytes={references} test={test} end={1} name="High end" />
      <fieldset class="twq-choice">
        <legend class="tw-hidden">Your choice</legend>
        {SIDES.map(({ side, name, key }) => (
          <button
            key={side}
            type="button"
            class="twq-patch"
            aria-label={`Choose the ${name} patch`}
            onClick={() => test.answer(side as Side)}
          >
            <Cell bytes={patches} cells={facts.patch} at={side} name="" />
            <span aria-hidden="true">{key}</span>
          </button>
        ))}
      </fieldset>
      <References bytes={references} test={test} end={0} name="Low end" />
    </section>
  );
}

function References({ bytes, test, end, name }: { bytes: DataView; test: Trials; end: 0 | 1; name: string }) {
  const cells = test.facts.reference;
  return (
    <div class="twq-references" role="img" aria-label={`${name}: ${cells.columns} pictures`}>
      {Array.from({ length: cells.columns }, (_, at) => (
        <Cell key={at} bytes={bytes} cells={cells} at={end * cells.columns + at} name="" />
      ))}
    </div>
  );
}
