// Shared: an error message in a box.
// In: a sentence about what went wrong, and details. Out: the sentence, with the details folded away.
import type { Trouble } from "./live-request";

export function TroubleBox({ trouble }: { trouble: Trouble }) {
  return (
    <div class="tw-note tw-trouble" role="alert">
      <p>{trouble.message}</p>
      {trouble.details ? (
        <details>
          <summary>Details</summary>
          <pre>{trouble.details}</pre>
        </details>
      ) : null}
    </div>
  );
}
