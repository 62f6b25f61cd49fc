// Recovery checklist: how far chance gets.
// In: a null distribution and the observed value. Out: bars, and a line.
import { decimal } from "../shared/format";
import type { Null } from "./nulls-and-curves";
import type { Cell } from "./report";
import type { View } from "./view";

const [WIDTH, HEIGHT, BASE, TOP] = [300, 170, 138, 26];

export function NullPlot({ view, cell, which }: { view: View; cell: Cell; which: 0 | 1 }) {
  const { checklist } = view;
  const { report, state, look } = checklist;
  const pictures = state.readout === "image";
  const r2 = report.statistic[look.bank] === "r2" && !pictures;
  const found = checklist.null(cell, which);
  const title =
    which === 1
      ? "Arbitrary axes of the same subspace"
      : report.subject === "films"
        ? "The furthest of as many random axes of the subspace"
        : pictures
          ? "Films of arbitrary directions"
          : "The filters’ labels permuted";
  return (
    <figure class="twr-plot">
      <figcaption>{title}</figcaption>
      {found && cell.observed !== null ? (
        <Bars found={found} observed={cell.observed} symbol={r2 ? "R²" : "D"} />
      ) : (
        <p class="tw-quiet">{why(which, pictures, report.columns[cell.column]?.name ?? "")}</p>
      )}
    </figure>
  );
}

function why(which: 0 | 1, pictures: boolean, name: string): string {
  if (which === 0) return "There is no such null here: no draws were made.";
  return pictures
    ? "Films are not compared within a subspace: that test is of activations."
    : `There is no such null: ${name} has no linear subspace in which to turn an axis.`;
}

function Bars({ found, observed, symbol }: { found: Null; observed: number; symbol: string }) {
  const { low, high, counts } = found;
  const most = Math.max(...counts, 1);
  const x = (value: number) => 6 + ((value - low) / (high - low)) * (WIDTH - 12);
  const step = (WIDTH - 12) / counts.length;
  const bars = counts
    .map((count, at) => {
      const tall = ((BASE - TOP) * count) / most;
      return tall > 0
        ? `M${(6 + at * step + 0.5).toFixed(1)} ${BASE}v${(-tall).toFixed(1)}h${(step - 1).toFixed(1)}v${tall.toFixed(1)}z`
        : "";
    })
    .join("");
  const here = x(observed);
  // The text goes on the side with room for it.
  const right = here > WIDTH * 0.55;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${total} draws of the null from ${decimal(low)} to ${decimal(high)}; observed ${symbol} = ${decimal(observed)}`}
    >
      <path class="twr-bars" d={bars} />
      <path class="twr-axis" d={`M6 ${BASE + 0.5}H${WIDTH - 6}`} />
      <path class="twr-here" d={`M${here.toFixed(1)} ${BASE}V14`} />
      <text class="twr-strong" x={here + (right ? -5 : 5)} y={20} text-anchor={right ? "end" : "start"}>
        observed {symbol} = {decimal(observed)}
      </text>
      <text x={6} y={BASE + 16}>
        {decimal(low)}
      </text>
      <text x={WIDTH - 6} y={BASE + 16} text-anchor="end">
        {decimal(high)}
      </text>
      <text x={WIDTH / 2} y={BASE + 16} text-anchor="middle">
        {symbol === "D" ? "sweep D" : "R² of the weights"}, {total} draws
      </text>
    </svg>
  );
}
