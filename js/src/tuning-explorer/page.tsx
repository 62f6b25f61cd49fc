// The explorer's page: header, one row a dimension, and the stage with the active dimension's image.
import { useEffect, useReducer } from "preact/hooks";
import { Announcer } from "./announcer";
import { Header } from "./header";
import { LiveBar } from "./live-bar";
import { Row } from "./row";
import { Stage } from "./stage";
import type { View } from "./view";
import { WhatIf } from "./whatif";

/** Draws again whenever the widget's state or one of its images changes. */
function useChanges(view: View): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, view.signal]);
    view.explorer.subscribe(again as () => void, signal);
    view.explorer.images.subscribe(again as () => void, signal);
    view.explorer.combination?.subscribe(again as () => void, signal);
    view.explorer.kept.subscribe(again as () => void, signal);
    again(undefined as never);
    return () => ending.abort();
  }, [view]);
}

export function Page({ view }: { view: View }) {
  useChanges(view);
  const { explorer } = view;
  const { film, state } = explorer;
  useEffect(() => view.revealRow(state.dimension), [view, state.dimension]);
  return (
    <>
      <Header film={film} labeled={state.labels.filter((label) => label.trim()).length} />
      <div class="tw-body">
        <div class="tw-left">
          {explorer.combination ? <LiveBar explorer={explorer} combination={explorer.combination} /> : null}
          <ul class="tw-rows" aria-label="Tuning dimensions">
            {film.dimensions.map((dimension, at) => (
              <Row
                key={dimension.index}
                view={view}
                dimension={dimension}
                at={at}
                active={at === state.dimension}
                point={explorer.place(at)}
                together={explorer.combining}
                label={state.labels[at] ?? ""}
                waits={explorer.waits(at)}
                mark={explorer.marked(at)}
                sprite={explorer.images.of(at)}
              />
            ))}
          </ul>
          {explorer.photo ? <WhatIf view={view} photo={explorer.photo} /> : null}
        </div>
        <Stage view={view} />
      </div>
      <Announcer explorer={explorer} />
    </>
  );
}
