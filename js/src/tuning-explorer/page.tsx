// Tuning explorer: the whole widget on the page.
// In: a view. Out: the header, one row per dimension, and the panel with the active dimension's image.
import { useEffect } from "preact/hooks";
import { useChanges } from "../shared/use-changes";
import { Announcer } from "./announcer";
import { DimensionPanel } from "./dimension-panel";
import { DimensionRow } from "./dimension-row";
import { landmarks } from "./film";
import { Header } from "./header";
import { Legend } from "./legend";
import { LiveBar } from "./live-bar";
import { MoreRows } from "./more-rows";
import { PhotoHeatMap } from "./photo-heat-map";
import type { View } from "./view";

/** So many rows are all in sight beside the image; of more, at least one less. */
const FEW = 6;

export function Page({ view }: { view: View }) {
  const { explorer } = view;
  useChanges(view.signal, explorer, explorer.images, explorer.patches, explorer.combination, explorer.kept);
  const { film, state } = explorer;
  useEffect(() => view.revealRow(state.dimension), [view, state.dimension]);
  const mostShare = Math.max(0, ...film.dimensions.map((dimension) => dimension.share ?? 0));
  return (
    <>
      <Header film={film} labeled={state.labels.filter((label) => label.trim()).length} />
      <div class="twe-body">
        <div class="twe-left">
          {explorer.combination ? <LiveBar explorer={explorer} combination={explorer.combination} /> : null}
          <Legend />
          <ul
            class="twe-rows"
            aria-label="Tuning dimensions"
            style={{
              "--twe-least": film.dimensions.length > FEW ? FEW - 1 : film.dimensions.length,
              "--twe-thumbnails": landmarks(film.points).length,
            }}
          >
            {film.dimensions.map((dimension, at) => (
              <DimensionRow
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
                mostShare={mostShare}
                sprite={explorer.images.of(at)}
              />
            ))}
          </ul>
          <MoreRows view={view} />
          {explorer.photo ? <PhotoHeatMap view={view} photo={explorer.photo} /> : null}
        </div>
        <DimensionPanel view={view} />
      </div>
      <Announcer explorer={explorer} />
    </>
  );
}
