// Unit scatter, unit panel: the unit's images under both objectives: finished, growing, or not made yet.
// In: a unit and the live rendering. Out: the images, and what the reader may ask for.

import { useLayoutEffect, useRef } from "preact/hooks";
import { TroubleBox } from "../../shared/trouble-box";
import { useChanges } from "../../shared/use-changes";
import { eyeImage, imageName, measuredKind } from "../data/eye-and-measured-image";
import { isTerm } from "../data/terms";
import { objectiveName, otherObjective, waitsFor } from "../data/units";
import { ImageCanvas } from "../images/image-canvas";
import { UnrenderedRing } from "../images/unrendered-ring";
import type { Progress } from "../state/live-rendering";
import type { View } from "../state/view";
import { Term } from "../terms/tips";
import { ImageSwitch } from "./image-switch";

interface Props {
  view: View;
  unit: number;
  onDrawn: () => void;
}

const LARGE = 384;
const SMALL = 128;

export function PanelImages({ view, unit, onDrawn }: Props) {
  const { scatter } = view;
  const { layer, state, images, rendering } = scatter;
  useChanges(view.signal, rendering);
  const { objective } = state;
  const other = otherObjective(layer, objective);
  const waits = waitsFor(layer, unit);
  const name = objectiveName(objective);
  const two = eyeImage(layer, objective, unit) !== "";
  const measured = two && view.measured;
  const image = images.of(layer, measured ? measuredKind(objective) : objective, unit);
  // So that the other one appears as soon as the reader switches to it.
  if (two && !measured) images.warm(layer, measuredKind(objective), unit);
  const at = rendering?.isAt(layer.table.layer, unit) ?? false;
  const now = at ? rendering?.now : undefined;
  const grows = (which: string) =>
    now?.objective === which && waits.includes(which) ? rendering?.bitmap : undefined;
  return (
    <>
      <div class="tws-images">
        <figure>
          <div class="tws-frame">
            {waits.includes(objective) ? (
              <Unmade
                bitmap={grows(objective)}
                name={`${name} image of unit ${unit}, growing`}
                pixels={LARGE}
              />
            ) : (
              <ImageCanvas
                image={image}
                name={imageName(layer, objective, unit, measured)}
                pixels={LARGE}
                class="tws-large"
                onDrawn={onDrawn}
              />
            )}
            {at && (!now || now.objective !== other) ? <Growth now={now} /> : null}
          </div>
          <figcaption>
            <Named view={view} objective={objective} /> image
            {image?.state === "absent" ? (
              <button type="button" class="tw-button" onClick={() => images.retry()}>
                Try again
              </button>
            ) : null}
          </figcaption>
        </figure>
        {other === undefined ? null : (
          <figure>
            <button
              type="button"
              class="tws-thumb tws-frame"
              aria-label={`Show ${objectiveName(other)} images`}
              onClick={() => scatter.showObjective(other)}
            >
              {waits.includes(other) ? (
                <Unmade bitmap={grows(other)} name="" pixels={SMALL} />
              ) : (
                <ImageCanvas image={images.of(layer, other, unit)} name="" pixels={SMALL} />
              )}
              {at && now?.objective === other ? <Growth now={now} /> : null}
            </button>
            <figcaption>
              <Named view={view} objective={other} />
            </figcaption>
          </figure>
        )}
      </div>
      {waits.includes(objective) ? null : <ImageSwitch view={view} unit={unit} />}
      <Status view={view} unit={unit} />
    </>
  );
}

/** An objective's short name, with what it stands for. */
function Named({ view, objective }: { view: View; objective: string }) {
  const name = objectiveName(objective);
  return isTerm(objective) ? (
    <Term view={view} name={objective}>
      {name}
    </Term>
  ) : (
    <span>{name}</span>
  );
}

function Growth({ now }: { now: Progress | undefined }) {
  return (
    <progress class="tw-growth" max={now?.steps ?? 1} value={now?.step ?? 0}>
      growing
    </progress>
  );
}

/** An image that is growing, or an empty frame for it. */
function Unmade({ bitmap, name, pixels }: { bitmap: ImageBitmap | undefined; name: string; pixels: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!bitmap || !context) return;
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, pixels, pixels);
  }, [bitmap, pixels]);
  if (!bitmap)
    return (
      <span class="tws-noimage tws-unmade">
        {pixels > SMALL ? (
          <span>
            <UnrenderedRing /> not rendered yet
          </span>
        ) : null}
      </span>
    );
  const words = name ? ({ role: "img", "aria-label": name } as const) : ({ "aria-hidden": true } as const);
  return <canvas ref={canvas} class="tws-image tws-partial" width={pixels} height={pixels} {...words} />;
}

/** The state of this unit's images, and what the reader may ask for. */
function Status({ view, unit }: { view: View; unit: number }) {
  const { scatter } = view;
  const { layer, rendering } = scatter;
  const name = layer.table.layer;
  const waits = waitsFor(layer, unit).length > 0;
  if (!rendering)
    return waits ? (
      <p class="tws-status">
        Making images takes a network: open the record with <code>probe=</code>.
      </p>
    ) : null;
  const failed = rendering.trouble && rendering.lost?.unit === unit && rendering.lost.layer === name;
  if (failed && rendering.trouble)
    return (
      <>
        <TroubleBox trouble={rendering.trouble} />
        <p class="tws-status">
          <button type="button" class="tw-button" onClick={() => rendering.retry()}>
            Try again
          </button>
        </p>
      </>
    );
  if (rendering.isAt(name, unit))
    return (
      <p class="tws-status">
        <span class="tws-step">{stepText(rendering.now, rendering.kernel.state)}</span>
        {rendering.all ? null : (
          <button type="button" class="tw-button tws-stop" onClick={() => rendering.stop()}>
            Stop
          </button>
        )}
      </p>
    );
  if (!waits) return null;
  return (
    <p class="tws-status">
      {rendering.gone ? (
        "Making images takes a kernel: run the cell again."
      ) : (
        <button type="button" class="tw-button" onClick={() => scatter.more(unit, "image")}>
          Render this unit
        </button>
      )}
    </p>
  );
}

function stepText(now: Progress | undefined, kernel: string): string {
  if (kernel === "busy") return "waiting for the kernel…";
  if (!now) return "asked…";
  if (now.comparing) return "comparing with the others…";
  const again = now.task === "restart" ? `restart ${(now.restart ?? 0) + 1}, ` : "";
  return `${objectiveName(now.objective)}: ${again}step ${now.step} of ${now.steps}`;
}
