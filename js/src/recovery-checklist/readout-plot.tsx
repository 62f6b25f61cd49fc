// Recovery checklist: what the filters, or the pictures, say along the best dimension.
// In: a cell. Out: frequency and phase as curves over the points; angle as a path in a circle of doubled angles, in which
// 0° and 180° coincide.
import { capital, decimal } from "../shared/format";
import type { Curve } from "./nulls-and-curves";
import type { Cell } from "./report";
import type { View } from "./view";

const [WIDTH, HEIGHT] = [300, 170];
const [LEFT, RIGHT, TOP, BASE] = [40, 8, 12, 138];
const DASHES = ["", "6 3", "2 3"];

export function ReadoutPlot({ view, cell }: { view: View; cell: Cell }) {
  const { checklist } = view;
  const { report, state, look } = checklist;
  const curve = checklist.curve(cell);
  const name = report.attribute[cell.attribute] ?? "";
  const who = state.readout === "image" ? "pictures" : "filters";
  return (
    <figure class="twr-plot">
      <figcaption>
        {capital(name)} along it, as the {who} say
      </figcaption>
      {curve.length === 0 ? (
        <p class="tw-quiet">Nothing was read here.</p>
      ) : name === "angle" ? (
        <Circle curve={curve} angles={own(report.filters[cell.attribute] ?? [], report, look)} />
      ) : (
        <Lines curve={curve} name={name} pictures={state.readout === "image"} color={cell.attribute > 2} />
      )}
    </figure>
  );
}

/** The values of the filters of the bank and seed that are shown. */
function own(
  values: readonly (number | null)[],
  report: { seed: readonly unknown[]; bank: readonly unknown[] },
  look: { seed: number; bank: number },
): number[] {
  const count = values.length / (report.seed.length * report.bank.length);
  const first = (look.seed * report.bank.length + look.bank) * count;
  return values.slice(first, first + count).filter((value) => value !== null);
}

function Circle({ curve, angles }: { curve: Curve; angles: number[] }) {
  const [cx, cy, radius] = [WIDTH / 2, 84, 62];
  const at = (x: number, y: number) => [cx + radius * x, cy - radius * y] as const;
  const [across = [], up = []] = curve;
  const path = across.flatMap((x, point) => {
    const y = up[point];
    return x === null || y === null || y === undefined ? [] : [at(x, y)];
  });
  const [start, end] = [path[0], path.at(-1)];
  const ticks = angles.map((angle) => {
    const [x, y] = [Math.cos(2 * angle), Math.sin(2 * angle)];
    const [x1, y1] = at(x, y);
    const [x2, y2] = at(1.07 * x, 1.07 * y);
    return `M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}`;
  });
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Path of the mean doubled angle">
      <circle class="twr-ring" cx={cx} cy={cy} r={radius} />
      <path class="twr-axis" d={`M${cx - 3} ${cy}h6M${cx} ${cy - 3}v6`} />
      <path class="twr-ticks" d={ticks.join("")} />
      <polyline class="twr-line" points={path.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")} />
      {start ? <circle class="twr-start" cx={start[0]} cy={start[1]} r="3.5" /> : null}
      {end ? <circle class="twr-end" cx={end[0]} cy={end[1]} r="4" /> : null}
      <text x={cx + radius + 10} y={cy + 4}>
        0°
      </text>
      <text x={cx} y={cy - radius - 9} text-anchor="middle">
        45°
      </text>
      <text x={cx - radius - 10} y={cy + 4} text-anchor="end">
        90°
      </text>
      <text x={cx} y={cy + radius + 18} text-anchor="middle">
        135°
      </text>
      <text x={4} y={HEIGHT - 4}>
        ○ first ● last
      </text>
      <text x={WIDTH - 4} y={HEIGHT - 4} text-anchor="end">
        {angles.length > 0 ? "ticks: filters" : ""}
      </text>
    </svg>
  );
}

interface LinesProps {
  curve: Curve;
  name: string;
  pictures: boolean;
  /** An axis of two hues: position and contrast, in chroma. */
  color: boolean;
}

function Lines({ curve, name, pictures, color }: LinesProps) {
  const values = curve.flat().filter((value) => value !== null);
  const frequency = name === "frequency";
  // Chroma is small: its axis reaches as far as the values, and at least to a hundredth.
  const reach = color ? Math.max(0.01, ...values.map(Math.abs)) : 1;
  const [least, most] = frequency ? [Math.min(...values), Math.max(...values)] : [-reach, reach];
  // At least a third of an octave, so that enlarging doesn't turn noise into a trend.
  const margin = frequency ? Math.max(0.04, (0.34 - (most - least)) / 2) : 0;
  const [low, high] = frequency
    ? [least - margin, most + margin]
    : [Math.min(least, ...values), Math.max(most, ...values)];
  const points = curve[0]?.length ?? 0;
  const x = (point: number) => LEFT + (point / Math.max(1, points - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => BASE - ((value - low) / (high - low)) * (BASE - TOP);
  const ticks = frequency ? [low + margin, (low + high) / 2, high - margin] : [-reach, 0, reach];
  const names = frequency
    ? ["mean frequency, cycles/px"]
    : color
      ? [name.split("/").reverse().join(" less "), "both at once"]
      : pictures
        ? ["even", "odd, across", "odd, up"]
        : ["cos ψ", "sin ψ cos θ", "sin ψ sin θ"];
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${names.join(", ")}, from the first point to the last`}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <path class="twr-grid" d={`M${LEFT} ${y(tick).toFixed(1)}H${WIDTH - RIGHT}`} />
          <text x={LEFT - 5} y={y(tick) + 4} text-anchor="end">
            {frequency ? decimal(2 ** tick, 3).replace(/^0/, "") : decimal(tick, color ? 2 : 0)}
          </text>
        </g>
      ))}
      {curve.map((line, at) => (
        <polyline
          key={names[at]}
          class={`twr-line twr-line-${at}`}
          stroke-dasharray={DASHES[at]}
          points={line
            .flatMap((value, point) =>
              value === null ? [] : [`${x(point).toFixed(1)},${y(value).toFixed(1)}`],
            )
            .join(" ")}
        />
      ))}
      {names.map((text, at) => {
        const left = LEFT + (frequency ? 0 : at * (color ? 130 : 88));
        return (
          <g key={text}>
            <path
              class={`twr-line twr-line-${at}`}
              stroke-dasharray={DASHES[at]}
              d={`M${left} ${HEIGHT - 7}h16`}
            />
            <text x={left + 20} y={HEIGHT - 3}>
              {text}
            </text>
          </g>
        );
      })}
      <text x={LEFT} y={BASE + 13}>
        point 1
      </text>
      <text x={WIDTH - RIGHT} y={BASE + 13} text-anchor="end">
        {points}
      </text>
    </svg>
  );
}
