// Unit scatter, plot: the color of each unit's point: its class's, or its value's on the trace's scale.
// In: a bound figure. Out: one color per unit; undefined where it has no value.
import type { Figure } from "./figure";

type Scale = readonly (readonly [share: number, color: string])[];

export function unitColors({ data }: Figure): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (const trace of data) {
    const { color, colorscale } = trace.marker;
    const values = Array.isArray(color) ? (color as (number | null)[]) : [];
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    trace.customdata.forEach((unit, at) => {
      const value = values[at] ?? null;
      if (typeof color === "string") found[unit] = color;
      else if (value !== null)
        found[unit] = onScale(colorscale as Scale, high > low ? (value - low) / (high - low) : 0.5);
    });
  }
  return found;
}

/** Interpolates between the two colors of a scale (`#rrggbb`) around a share. */
export function onScale(scale: Scale, share: number): string {
  const above = Math.max(
    1,
    scale.findIndex(([at]) => share <= at),
  );
  const [[from, low], [to, high]] = [scale[above - 1], scale[above]] as [Scale[number], Scale[number]];
  const part = (share - from) / (to - from);
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [low, high].map((color) => Number.parseInt(color.slice(at, at + 2), 16)) as [
      number,
      number,
    ];
    return Math.round(a + part * (b - a));
  });
  return `rgb(${channels.join(", ")})`;
}
