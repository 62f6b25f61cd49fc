// The explorer's header: where the film comes from, and what a reader must know before trusting it.
import { pure } from "../shared/pure";
import type { Film } from "./film";

export const Header = pure(({ film }: { film: Film }) => (
  <header class="tw-header">
    <p class="tw-source">
      <strong>{film.model}</strong>
      <code>{film.layer}</code>
      <span>{film.method}</span>
      <span>{film.sampling} sampling</span>
    </p>
    <p class="tw-keys" aria-hidden="true">
      <kbd>↑</kbd>
      <kbd>↓</kbd> dimension <kbd>←</kbd>
      <kbd>→</kbd> point <kbd>space</kbd> play
    </p>
    {film.warnings.map((warning) => (
      <p key={warning} class="tw-warning">
        {warning}
      </p>
    ))}
  </header>
));
