// Tuning explorer: a suggested label that awaits the reader's decision in its row.
// In: the dimension's suggestion. Out: a click or Y accepts it; the cross or N rejects it.
import { type Dimension, suggestionOf } from "./film";
import type { View } from "./view";

export function Suggestion({ view, dimension, at }: { view: View; dimension: Dimension; at: number }) {
  const { name, strength } = suggestionOf(dimension);
  const decide = (accepted: boolean) => (event: MouseEvent) => {
    event.stopPropagation();
    view.explorer.decide(at, accepted);
    view.focusRow(at);
  };
  return (
    <p class="twe-suggestion">
      <button
        type="button"
        class="twe-accept"
        title={`Label it “${name}”, as its pictures suggest`}
        aria-label={`Accept the suggested label ${dimension.suggestion}`}
        onClick={decide(true)}
      >
        {name}?
      </button>
      <button
        type="button"
        class="twe-reject"
        title="Turn the suggestion down"
        aria-label={`Reject the suggested label ${name}`}
        onClick={decide(false)}
      >
        ×
      </button>
      <span>{strength}</span>
    </p>
  );
}
