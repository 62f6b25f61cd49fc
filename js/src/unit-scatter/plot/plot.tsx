// Unit scatter, plot: the plot as a component, with its title and its keys.
// In: a view. Out: plotly's element, the images above it, the rings and the preview.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { listenToKeys } from "../../shared/keyboard";
import type { View } from "../state/view";
import { ImageLayer, unitsWithRoom } from "./image-layer";
import { plainTitle } from "./page-figure";
import { pageStyle } from "./page-style";
import { Drawing, Figures } from "./plotly-drawing";
import { RingsAndPreview } from "./rings-and-preview";
import { unitColors } from "./unit-colors";

export function Plot({ view }: { view: View }) {
  const stage = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Drawing>();
  const figures = useRef<Figures>();
  figures.current ??= new Figures();
  const [width, setWidth] = useState(0);
  const [theme, setTheme] = useState(view.root.dataset.twTheme ?? "");
  const { key, figure } = figures.current.of(view);
  const { state } = view.scatter;

  useEffect(() => {
    if (!stage.current || !host.current || !canvas.current) return undefined;
    const ending = new AbortController();
    drawing.current = new Drawing(host.current, canvas.current, view);
    listenToKeys(stage.current, view.keys, ending.signal);
    const measured = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    measured.observe(stage.current);
    const themed = new MutationObserver(() => setTheme(view.root.dataset.twTheme ?? ""));
    themed.observe(view.root, { attributeFilter: ["data-tw-theme"] });
    return () => {
      ending.abort();
      measured.disconnect();
      themed.disconnect();
      drawing.current?.end();
    };
  }, [view]);

  useEffect(() => {
    if (width > 0) void drawing.current?.draw(figure, key, pageStyle(view.root, width));
  }, [view, key, width, theme, state.selected, state.images]);

  // Not computed again for every point that the mouse passes.
  view.imageUnits = useMemo(
    () => unitsWithRoom(view),
    [view, key, view.places, state.images, state.unit, state.pinned, state.selected],
  );
  const colors = useMemo(() => unitColors(figure), [figure]);

  const title = plainTitle(figure.layout.title.text);
  const said = figure.layout.title.subtitle.text.split("<br>").map(plainTitle);
  return (
    <>
      <div class="tws-title">
        <h4>{title}</h4>
        {said.map((line) => (
          <p key={line}>{line}</p>
        ))}
        <p class="tws-selection" hidden={state.selected.length === 0}>
          {state.selected.length} selected
          <button type="button" class="tw-link" onClick={() => view.scatter.select([])}>
            Clear
          </button>
        </p>
      </div>
      <div
        ref={stage}
        class="tws-plot"
        role="application"
        aria-label={`Scatter plot. ${title}. ${said[0]}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk from point to point in here
        tabIndex={0}
      >
        <div ref={host} class="tws-host" />
        {state.images ? (
          <ImageLayer view={view} colors={colors} plain={pageStyle(view.root, width).quiet} />
        ) : null}
        <canvas ref={canvas} class="tws-flight" />
        <RingsAndPreview view={view} />
      </div>
    </>
  );
}
