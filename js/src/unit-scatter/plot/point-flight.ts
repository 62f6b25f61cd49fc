// Unit scatter, plot: an animation in which each unit flies from its point under one objective to that under the other.
// In: both points of every unit, in pixels. Out: a short animation on a canvas above the plot, whose own points are hidden
// meanwhile; a function that ends it at once. Readers who asked for less motion see the new points directly.
import type { ScreenPoint } from "../state/nearest-unit";

const DURATION = 700;
const RADIUS = 4;
const PLAIN = "#0072B2";

export function fly(
  host: HTMLElement,
  canvas: HTMLCanvasElement,
  from: readonly ScreenPoint[],
  to: readonly ScreenPoint[],
  colors: readonly (string | undefined)[],
): () => void {
  const context = canvas.getContext("2d");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const flights = to.flatMap((end, unit) => {
    const start = from[unit];
    return start && end ? [{ start, end, color: colors[unit] ?? PLAIN }] : [];
  });
  if (calm || !context || flights.length === 0) return () => undefined;
  const stage = host.parentElement;
  const scale = devicePixelRatio || 1;
  canvas.width = host.clientWidth * scale;
  canvas.height = host.clientHeight * scale;
  context.scale(scale, scale);
  stage?.classList.add("tws-flying");
  let frame = 0;
  let begun: number | undefined;
  const end = () => {
    cancelAnimationFrame(frame);
    stage?.classList.remove("tws-flying");
    context.clearRect(0, 0, canvas.width, canvas.height);
  };
  const step = (now: number) => {
    begun ??= now;
    const share = eased(Math.min(1, (now - begun) / DURATION));
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const { start, end: stop, color } of flights) {
      const x = start[0] + share * (stop[0] - start[0]);
      const y = start[1] + share * (stop[1] - start[1]);
      context.strokeStyle = color;
      context.fillStyle = color;
      // The trail shows where a unit came from.
      context.globalAlpha = 0.35 * (1 - share);
      context.beginPath();
      context.moveTo(start[0], start[1]);
      context.lineTo(x, y);
      context.stroke();
      context.globalAlpha = 0.85;
      context.beginPath();
      context.arc(x, y, RADIUS, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    if (share < 1) frame = requestAnimationFrame(step);
    else end();
  };
  frame = requestAnimationFrame(step);
  return end;
}

/** Slow, fast, slow. */
function eased(share: number): number {
  return share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2;
}
