// Unit scatter, controls: the toolbar above the plot.
// In: what the layer offers. Out: the reader's choice of layer, objective, axes and color, and the table's button.
import { ChoiceList } from "../../shared/choice-list";
import { axisColumns, colorColumns } from "../data/choices";
import { isTerm } from "../data/terms";
import { countOf, hasImages, objectiveName } from "../data/units";
import type { View } from "../state/view";
import { explains } from "../terms/tips";

const NONE = "";

export function Toolbar({ view }: { view: View }) {
  const { scatter } = view;
  const { layer, state, units } = scatter;
  const label = (name: string) => layer.table.columns[name]?.label ?? name;
  const axes = axisColumns(layer).map((name) => ({ value: name, text: label(name) }));
  const colors = [
    ...colorColumns(layer).map((name) => ({ value: name, text: label(name) })),
    { value: NONE, text: "nothing" },
  ];
  return (
    <div class="tw-toolbar">
      <ChoiceList
        name="Layer"
        value={state.layer}
        options={units.layers.map(({ table }) => ({ value: table.layer, text: table.layer }))}
        onChoose={(name) => scatter.showLayer(name)}
      />
      {layer.table.objectives.length > 1 ? (
        <fieldset class="tw-segments">
          <legend class="tw-hidden">Images by</legend>
          {layer.table.objectives.map((objective) => (
            <button
              key={objective}
              type="button"
              aria-pressed={objective === state.objective}
              {...(isTerm(objective) ? explains(view, objective) : {})}
              onClick={() => scatter.showObjective(objective)}
            >
              {objectiveName(objective)}
            </button>
          ))}
        </fieldset>
      ) : null}
      <ChoiceList
        name="x"
        label="x axis"
        value={state.x}
        options={axes}
        onChoose={(x) => scatter.bind({ x })}
      />
      <ChoiceList
        name="y"
        label="y axis"
        value={state.y}
        options={axes}
        onChoose={(y) => scatter.bind({ y })}
      />
      <ChoiceList
        name="Color"
        value={state.color ?? NONE}
        options={colors}
        onChoose={(color) => scatter.bind({ color: color === NONE ? null : color })}
      />
      {hasImages(layer) ? (
        <button
          type="button"
          class="tw-button"
          aria-pressed={state.images}
          title="Images replace points where there is room; zoom in for more"
          onClick={() => scatter.bind({ images: !state.images })}
        >
          Images
        </button>
      ) : null}
      <span class="tws-toggles">
        {hasImages(layer) ? (
          <button
            type="button"
            class="tw-button"
            aria-expanded={view.galleryOpen}
            onClick={() => view.set({ galleryOpen: !view.galleryOpen })}
          >
            Gallery
          </button>
        ) : null}
        <button
          type="button"
          class="tw-button tws-table-button"
          aria-expanded={view.tableOpen}
          onClick={() => view.set({ tableOpen: !view.tableOpen })}
        >
          Table of {countOf(layer)} {countOf(layer) === 1 ? "unit" : "units"}
        </button>
      </span>
    </div>
  );
}
