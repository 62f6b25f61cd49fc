// Unit scatter, gallery: its order and its filters.
// In: a view and how many units they leave. Out: the reader's choice.
import { ChoiceList } from "../../shared/choice-list";
import { classOrders } from "../data/class-responses";
import { type GalleryChoice, type Group, groups, orderedBy, preferredClasses } from "../data/gallery-units";
import { countOf } from "../data/units";
import type { View } from "../state/view";

const ALL = "";

export function GalleryBar({ view, count }: { view: View; count: number }) {
  const { layer, state } = view.scatter;
  const { gallery } = view;
  const choose = (patch: Partial<GalleryChoice>) => view.set({ gallery: { ...gallery, ...patch } });
  const column = orderedBy(layer, gallery);
  const names = Object.entries(layer.table.columns).map(([value, { label }]) => ({ value, text: label }));
  const classes = preferredClasses(layer, state.objective);
  const kinds = groups(layer, state.objective, state.selected);
  const total = countOf(layer);
  return (
    <div class="tws-gallery-bar">
      <h4>
        {count === total ? `All ${total} units` : `${count} of ${total} units`}
        <span class="tw-hidden">, as images</span>
      </h4>
      <ChoiceList
        name="Sort by"
        value={column}
        options={[...names, ...classOrders(layer, gallery.preferred), { value: "", text: "number" }]}
        onChoose={(chosen) => choose({ column: chosen, rising: chosen === "" })}
      />
      <button
        type="button"
        class="tw-button tws-direction"
        aria-label={gallery.rising ? "Lowest first" : "Highest first"}
        onClick={() => choose({ column, rising: !gallery.rising })}
      >
        <span aria-hidden="true">{gallery.rising ? "↑ lowest first" : "↓ highest first"}</span>
      </button>
      {classes.length > 1 ? (
        <ChoiceList
          name="Class"
          value={gallery.preferred === undefined ? ALL : String(gallery.preferred)}
          options={[
            { value: ALL, text: "all classes" },
            ...classes.map(({ value, text, count }) => ({
              value: String(value),
              text: `${text} (${count})`,
            })),
          ]}
          onChoose={(chosen) => choose({ preferred: chosen === ALL ? undefined : Number(chosen) })}
        />
      ) : null}
      {kinds.length > 1 || gallery.group !== "all" ? (
        <ChoiceList
          name="Show"
          value={gallery.group}
          options={kinds.map(({ value, text, count }) => ({
            value,
            text: value === "all" ? text : `${text} (${count})`,
          }))}
          onChoose={(chosen) => choose({ group: chosen as Group })}
        />
      ) : null}
    </div>
  );
}
