// Recovery checklist: the switches above the table, and a note on why a bank's mean matters.
// In: the report. Out: the reader's choice of bank, readout, level and bank seed.
import { ChoiceList } from "../shared/choice-list";
import { decimal } from "../shared/format";
import { levels } from "./report";
import type { View } from "./view";

const READOUTS: Record<string, string> = { activation: "activations", image: "pictures" };

export function Switches({ view }: { view: View }) {
  const { checklist } = view;
  const { report, state, look } = checklist;
  return (
    <>
      <div class="tw-toolbar">
        {report.subject === "films" ? null : (
          <>
            <Segments
              name="Bank"
              values={report.bank}
              value={state.bank}
              onChoose={(bank) => checklist.choose({ bank })}
            />
            <Segments
              name="Read from"
              values={report.readout}
              texts={READOUTS}
              value={state.readout}
              onChoose={(readout) => checklist.choose({ readout })}
            />
          </>
        )}
        <ChoiceList
          name="α"
          value={String(state.alpha)}
          options={[...new Set([...levels(report), state.alpha])].map((level) => ({
            value: String(level),
            text: levelText(level),
          }))}
          onChoose={(alpha) => checklist.choose({ alpha: Number(alpha) })}
        />
        {report.seed.length > 1 ? (
          <ChoiceList
            name="Bank seed"
            value={String(state.seed)}
            options={report.seed.map((seed) => ({ value: String(seed), text: String(seed) }))}
            onChoose={(seed) => checklist.choose({ seed: Number(seed) })}
          />
        ) : null}
        <label class="twr-check">
          <input
            type="checkbox"
            checked={view.numbers}
            onChange={(event) => view.set({ numbers: event.currentTarget.checked })}
          />{" "}
          p, D and η
        </label>
      </div>
      {report.statistic[look.bank] === "r2" ? <Light name={state.bank} /> : null}
    </>
  );
}

function Light({ name }: { name: string }) {
  return (
    <div class="tw-note">
      <p>
        <b>Filters of the bank “{name}” respond to uniform light.</b> Whatever else a direction does, activity
        rises with the light along it, and the filters with most mean take the lead: frequency, angle and
        phase then seem to change along arbitrary directions too. So marks here do not compare how far an
        attribute sweeps (D), but how much of the dimension’s weights it explains (R²). Marks that appear only
        with this bank may be luminance.
      </p>
    </div>
  );
}

export function levelText(level: number): string {
  return decimal(level, 6).replace(/0+$/, "").replace(/^0/, "");
}

interface SegmentsProps {
  name: string;
  values: readonly string[];
  texts?: Record<string, string>;
  value: string;
  onChoose: (value: string) => void;
}

function Segments({ name, values, texts = {}, value, onChoose }: SegmentsProps) {
  return (
    <fieldset class="tw-choice">
      <legend class="tw-hidden">{name}</legend>
      <span class="tw-quiet" aria-hidden="true">
        {name}
      </span>
      <span class="tw-segments">
        {values.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === value}
            disabled={values.length === 1}
            onClick={() => onChoose(one)}
          >
            {texts[one] ?? one}
          </button>
        ))}
      </span>
    </fieldset>
  );
}
