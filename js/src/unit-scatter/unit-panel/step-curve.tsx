// Unit scatter, unit panel: one small curve over the steps of an optimization.
// In: values at steps. Out: an SVG.
import { decimal } from "../../shared/format";
import { type Line, number } from "../data/units";

interface Props {
  name: string;
  line: Line;
  steps: number;
  /** The current step: a curve that ends earlier has no value now, like the RS of a unit that has fallen silent. */
  now: number;
  /** The values at the bottom and top; by default from 0 to the largest value. */
  range?: [low: number, high: number];
}

const WIDTH = 150;
const HEIGHT = 44;
const ROOM = 3;

export function StepCurve({ name, line, steps, now, range }: Props) {
  const last = line.values.at(-1);
  if (last === undefined) return null;
  const [low, high] = range ?? [Math.min(0, ...line.values), Math.max(...line.values, 1e-9)];
  const x = (step: number) => ROOM + ((WIDTH - 2 * ROOM) * step) / Math.max(1, steps);
  const y = (value: number) => HEIGHT - ROOM - ((HEIGHT - 2 * ROOM) * (value - low)) / (high - low || 1);
  const points = line.values.map((value, at) => [x(line.steps[at] ?? 0), y(value)] as const);
  const end = points.at(-1) ?? [0, 0];
  const ended = (line.steps.at(-1) ?? 0) < now;
  const value = name === "RS" ? decimal(last, last > 0 && last < 0.1 ? 3 : 2) : number(last);
  const text = ended ? "–" : value;
  const said = `${name} after ${now} of ${steps} steps: ${ended ? "none" : value}`;
  return (
    <figure class="tws-course">
      <figcaption>
        {name} <b>{text}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={said}>
        <path class="tws-base" d={`M${ROOM} ${HEIGHT - ROOM}H${WIDTH - ROOM}`} />
        <polyline points={points.map((point) => point.map((at) => at.toFixed(1)).join(",")).join(" ")} />
        {ended ? null : <circle cx={end[0]} cy={end[1]} r={2.5} />}
      </svg>
      <p class="tws-scale" aria-hidden="true">
        <span>0</span>
        <span>{steps} steps</span>
      </p>
    </figure>
  );
}
