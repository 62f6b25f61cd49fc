// Unit scatter, table: all units and all columns, sorted as the reader likes, in step with the plot.
// In: a view. Out: a table of which only the rows in view are in the page, so that thousands of units cost no more than
// dozens.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { listenToKeys } from "../../shared/keyboard";
import { classColors } from "../data/class-colors";
import { isTerm } from "../data/terms";
import { columnValue, hasImages, valueText } from "../data/units";
import { ordered, windowed } from "../data/visible-rows";
import { ImageCanvas } from "../images/image-canvas";
import { UnrenderedRing } from "../images/unrendered-ring";
import type { View } from "../state/view";
import { explains } from "../terms/tips";

const ROW = 36;
const HEIGHT = 396;
const PIXELS = 64;

export function UnitTable({ view }: { view: View }) {
  const { scatter, sort } = view;
  const { layer, state, waiting, images } = scatter;
  const { objective, unit, pinned, selected } = state;
  const box = useRef<HTMLDivElement>(null);
  const [scrolled, setScrolled] = useState(0);
  // The class beside the image: what a unit is of comes before its numbers.
  const { preferred_class: kind, ...others } = layer.table.columns;
  const names = [...(kind ? ["preferred_class"] : []), ...Object.keys(others)];
  const column = names.includes(sort.column) ? sort.column : "";
  const only = view.onlySelected && selected.length > 0;
  const units = useMemo(() => {
    const all = ordered(layer, objective, { column, rising: sort.rising });
    return only ? all.filter((one) => selected.includes(one)) : all;
  }, [layer, objective, column, sort.rising, only, selected, scatter.revision]);
  const { first, last } = windowed(units.length, scrolled, HEIGHT, ROW);
  const colors = useMemo(() => classColors(scatter.units.template), [scatter.units]);
  const pictures = hasImages(layer);
  const chosen = useMemo(() => new Set(selected), [selected]);
  const at = unit === null ? -1 : units.indexOf(unit);

  // The reader who opens the table sees it.
  useEffect(() => box.current?.scrollIntoView?.({ block: "nearest" }), []);

  // The opened unit scrolls into view, whoever opened it; only the list scrolls, never the notebook around it.
  useEffect(() => {
    const list = box.current;
    if (!list || at < 0) return;
    const head = list.querySelector("thead")?.offsetHeight ?? ROW;
    const [top, room] = [at * ROW, list.clientHeight - head - ROW];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + room) list.scrollTop = top - room;
  }, [at]);

  const keys = useRef({ step: (_: number) => {} });
  keys.current.step = (by) => {
    const next = units[Math.min(units.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next !== undefined) scatter.open(next);
  };
  useEffect(() => {
    if (!box.current) return undefined;
    const ending = new AbortController();
    const step = (by: number) => () => keys.current.step(by);
    const map = { ArrowUp: step(-1), ArrowDown: step(1), PageUp: step(-10), PageDown: step(10) };
    listenToKeys(box.current, map, ending.signal);
    return () => ending.abort();
  }, []);

  const head = (name: string, label: string) => {
    const sorted = name === column;
    return (
      <th
        key={name}
        scope="col"
        class={name === "preferred_class" ? "tws-class" : ""}
        aria-sort={sorted ? (sort.rising ? "ascending" : "descending") : "none"}
      >
        <button
          type="button"
          {...(isTerm(name) ? explains(view, name) : {})}
          onClick={() => view.set({ sort: { column: name, rising: sorted ? !sort.rising : name === "" } })}
        >
          {label}
          <span aria-hidden="true">{sorted ? (sort.rising ? " ↑" : " ↓") : ""}</span>
        </button>
      </th>
    );
  };
  return (
    <div class="tws-table">
      <p class="tws-table-bar">
        <span>
          {only ? `${units.length} selected` : `${units.length} units`}, a row each; arrows move, a click
          opens
        </span>
        <label>
          <input
            type="checkbox"
            checked={only}
            disabled={selected.length === 0}
            onChange={(event) => view.set({ onlySelected: event.currentTarget.checked })}
          />{" "}
          selected only
        </label>
      </p>
      <div
        ref={box}
        class="tws-scroll"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reached by keyboard
        tabIndex={0}
        style={{ maxHeight: `${HEIGHT}px` }}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
      >
        <table aria-rowcount={units.length + 1} aria-label={`All units of ${layer.table.layer}`}>
          <thead>
            <tr aria-rowindex={1}>
              {head("", "unit")}
              {names.map((name) => head(name, layer.table.columns[name]?.label ?? name))}
            </tr>
          </thead>
          <tbody>
            <Gap rows={first} />
            {units.slice(first, last).map((one, row) => (
              <tr
                key={one}
                aria-rowindex={first + row + 2}
                aria-current={one === unit}
                class={[
                  waiting.has(one) ? "tws-row-waits" : "",
                  chosen.has(one) ? "tws-chosen" : "",
                  one === pinned ? "tws-row-pinned" : "",
                  one === view.hint?.unit ? "tws-hinted" : "",
                ].join(" ")}
                onClick={() => scatter.open(one)}
                onMouseEnter={() => view.set({ hint: { unit: one, by: "mouse" } })}
                onMouseLeave={() => view.set({ hint: undefined })}
              >
                <th scope="row">
                  <button type="button" tabIndex={-1}>
                    {pictures ? (
                      <ImageCanvas image={images.of(layer, objective, one)} name="" pixels={PIXELS} />
                    ) : null}
                    {waiting.has(one) ? <UnrenderedRing /> : null}
                    {one}
                    {waiting.has(one) ? <span class="tw-hidden">, not rendered yet</span> : null}
                  </button>
                </th>
                {names.map((name) => (
                  <td key={name} class={name === "preferred_class" ? "tws-class" : ""}>
                    {name === "preferred_class" ? (
                      <i
                        aria-hidden="true"
                        style={{ background: colors.get(columnValue(layer, name, objective, one) ?? -1) }}
                      />
                    ) : null}
                    {valueText(layer, name, objective, one)}
                  </td>
                ))}
              </tr>
            ))}
            <Gap rows={units.length - last} />
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Gap({ rows }: { rows: number }) {
  return rows > 0 ? <tr class="tws-gap" style={{ height: `${rows * ROW}px` }} /> : null;
}
