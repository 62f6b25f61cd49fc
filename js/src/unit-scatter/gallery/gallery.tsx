// Unit scatter, gallery: the images of all units, in the reader's order, as far as the filters let them pass.
// In: a view. Out: a list of pictures of which only those in view are in the page. A click opens a unit; so does Enter,
// and arrows lead from picture to picture.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { listenToKeys } from "../../shared/keyboard";
import { classColors } from "../data/class-colors";
import { FIRST_CHOICE, galleryUnits, orderedBy } from "../data/gallery-units";
import { columnValue, objectiveName } from "../data/units";
import { windowed } from "../data/visible-rows";
import type { View } from "../state/view";
import { GalleryBar } from "./gallery-bar";
import { GAP, gridIn, placeAfter } from "./grid";
import { idOf, Tile } from "./tile";

/** Before the page has been laid out. */
const FIRST_ROOM = { width: 640, height: 360 };
const BORDERS = 2;
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

export function Gallery({ view }: { view: View }) {
  const { scatter, gallery } = view;
  const { layer, state, units: all } = scatter;
  const { objective, unit: opened, selected } = state;
  const list = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(FIRST_ROOM);
  const [scrolled, setScrolled] = useState(0);
  const [cursor, setCursor] = useState<number | undefined>();
  const [focused, setFocused] = useState(false);
  const units = useMemo(
    () => galleryUnits(layer, objective, gallery, selected),
    [layer, objective, gallery, selected, scatter.revision],
  );
  const colors = useMemo(() => classColors(all.template), [all]);
  const grid = gridIn(room.width);
  const rows = Math.ceil(units.length / grid.columns);
  const seen = windowed(rows, scrolled, room.height, grid.row, 2);
  const [first, last] = [seen.first * grid.columns, Math.min(units.length, seen.last * grid.columns)];
  const current = cursor !== undefined && units.includes(cursor) ? cursor : (opened ?? units[0]);
  const at = current === undefined ? -1 : units.indexOf(current);
  const column = orderedBy(layer, gallery);

  useEffect(() => {
    const box = list.current;
    if (!box) return undefined;
    const measured = new ResizeObserver(() => {
      // Hidden, as in a tab that is not shown, it has no room.
      if (box.clientWidth > 0) setRoom({ width: box.clientWidth - 2 * GAP, height: box.clientHeight });
    });
    measured.observe(box);
    return () => measured.disconnect();
  }, [units.length === 0]);

  const reveal = (place: number) => {
    const box = list.current;
    if (!box || place < 0) return;
    const top = Math.floor(place / grid.columns) * grid.row;
    // Only the list scrolls, never the notebook around it.
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + grid.row > box.scrollTop + box.clientHeight)
      box.scrollTop = top + grid.row + GAP - box.clientHeight;
  };

  // The opened unit comes into view, whoever opened it; at first the gallery begins at its beginning.
  const begun = useRef(false);
  useLayoutEffect(() => {
    if (begun.current && opened !== null) {
      setCursor(opened);
      reveal(units.indexOf(opened));
    }
    begun.current = true;
  }, [opened]);
  useLayoutEffect(() => {
    if (list.current) list.current.scrollTop = 0;
  }, [gallery, layer]);

  const press = useRef((_: string) => {});
  press.current = (key) => {
    if (MOVES.includes(key)) {
      const page = Math.max(1, Math.floor(room.height / grid.row));
      const next = placeAfter(key, at, units.length, grid.columns, page);
      const unit = units[next];
      if (unit === undefined) return;
      setCursor(unit);
      reveal(next);
      view.set({ hint: { unit, by: "mouse" } });
    } else if (current !== undefined) {
      if (key === "p") scatter.togglePin(current);
      else if (key === "s") toggle(current);
      else scatter.open(current);
    }
  };
  const toggle = (unit: number) =>
    scatter.select(selected.includes(unit) ? selected.filter((one) => one !== unit) : [...selected, unit]);
  useEffect(() => {
    if (!list.current) return undefined;
    const ending = new AbortController();
    const keys = [...MOVES, "Enter", " ", "p", "s"];
    const map = Object.fromEntries(keys.map((key) => [key, () => press.current(key)]));
    listenToKeys(list.current, map, ending.signal);
    return () => ending.abort();
  }, [units.length === 0]);

  const inPage = at >= first && at < last;
  return (
    <section class="tws-gallery" aria-label="Gallery">
      <GalleryBar view={view} count={units.length} />
      {units.length === 0 ? (
        <p class="tw-quiet tws-gallery-none">
          No unit passes these filters.{" "}
          <button type="button" class="tw-link" onClick={() => view.set({ gallery: FIRST_CHOICE })}>
            Show all units
          </button>
        </p>
      ) : (
        <div
          ref={list}
          class="tws-gallery-list"
          role="listbox"
          aria-label={`${objectiveName(objective)} images of units of ${layer.table.layer}. Arrows move, Enter opens, P pins, S selects`}
          tabIndex={0}
          aria-activedescendant={focused && inPage && current !== undefined ? idOf(view, current) : undefined}
          onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            view.set({ hint: undefined });
          }}
          style={{ maxHeight: `${rows * grid.row + GAP + BORDERS}px` }}
        >
          <div
            role="presentation"
            class="tws-gallery-grid"
            style={{
              gridTemplateColumns: `repeat(${grid.columns}, ${grid.side}px)`,
              gridAutoRows: `${grid.row - GAP}px`,
              paddingTop: `${seen.first * grid.row + GAP}px`,
              paddingBottom: `${(rows - Math.ceil(last / grid.columns)) * grid.row}px`,
            }}
          >
            {units.slice(first, last).map((unit, place) => (
              <Tile
                key={unit}
                view={view}
                unit={unit}
                column={column}
                color={colors.get(columnValue(layer, "preferred_class", objective, unit) ?? -1)}
                at={first + place}
                count={units.length}
                current={focused && unit === current}
              />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}
