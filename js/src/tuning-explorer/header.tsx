// Tuning explorer: the header. Where the film comes from, and what a reader must know before trusting it.
// In: the film. Out: its source, the keys and its warnings.
import { pure } from "../shared/pure";
import type { Film } from "./film";

export const Header = pure(({ film, labeled }: { film: Film; labeled: number }) => (
  <header class="tw-header">
    <p class="tw-source">
      <strong>{film.model}</strong>
      <code>{film.layer}</code>
      <span>{film.method}</span>
      <span>{film.sampling} sampling</span>
    </p>
    <p class="tw-quiet twe-progress" title="In Python: explorer.labels">
      {labeled} of {film.dimensions.length} labeled
    </p>
    <p class="tw-keys" aria-hidden="true">
      <kbd>↑</kbd>
      <kbd>↓</kbd> dimension <kbd>←</kbd>
      <kbd>→</kbd> point <kbd>space</kbd> play <kbd>L</kbd> label
      {film.dimensions.some((dimension) => dimension.suggestion) ? (
        <>
          {" "}
          <kbd>Y</kbd>
          <kbd>N</kbd> accept/reject suggestion
        </>
      ) : null}
    </p>
    {film.warnings.map((warning) => (
      <p key={warning} class="tw-note">
        {warning}
      </p>
    ))}
  </header>
));
