// Recovery checklist: the legend. What the signs in a cell mean.
// In: the report. Out: a list.
import { decimal } from "../shared/format";
import { MarkIcon } from "./mark-icon";
import { levelText } from "./switches";
import type { View } from "./view";
import { sources } from "./wording";

export function Legend({ view }: { view: View }) {
  const { report, state, look } = view.checklist;
  const pictures = state.readout === "image";
  const what =
    report.statistic[look.bank] === "r2" && !pictures ? "explains more of the weights" : "sweeps further";
  if (report.subject === "films") return <OfFilms view={view} />;
  return (
    <ul class="twr-legend">
      <li>
        <MarkIcon value={true} /> recovered: p ≤ {levelText(state.alpha)} and a smooth sweep (η ≥{" "}
        {decimal(report.smooth)})
        {report.draws > 0
          ? `; of ${report.draws} draws, no p can be below ${decimal(1 / (report.draws + 1), 3)}`
          : null}
      </li>
      <li>
        <MarkIcon value={false} /> not recovered
      </li>
      <li>
        <MarkIcon value={null} /> not there: nothing was tested, which is not a no
      </li>
      <li>
        <b>{pictures ? "Left" : "Subspace"}</b>: the attribute {what} than{" "}
        {pictures
          ? "in films of arbitrary directions"
          : "with the filters’ labels permuted in what a dimension changes"}
      </li>
      <li>
        <b>{pictures ? "Right" : "Axis"}</b>:{" "}
        {pictures
          ? "films are not compared within a subspace"
          : "and further than along arbitrary axes of the same subspace"}
      </li>
      <li>
        <b>Count</b>: bank seeds that recover it, in the subspace
      </li>
      <li>
        <b>All three</b>: frequency, angle and phase of one bank, corrected by Holm for three claims at once;
        below the count its exact 95% interval in percent
      </li>
      <li>
        <b>Paper</b> (small gray sign): its Table 1, judged by eye on another bank and other images; for
        comparison, we do not claim to replicate it
      </li>
      <li>
        <b>Made from</b> {sources(report)}
      </li>
    </ul>
  );
}

function OfFilms({ view }: { view: View }) {
  const { report, state } = view.checklist;
  return (
    <ul class="twr-legend">
      <li>
        <MarkIcon value={true} /> some dimension goes further along the attribute than chance at α ={" "}
        {levelText(state.alpha)}
      </li>
      <li>
        <MarkIcon value={false} /> none does
      </li>
      <li>
        <MarkIcon value={null} /> not there: nothing was tested, which is not a no
      </li>
      <li>
        <b>Chance</b>: the furthest of as many random axes of the same subspace, rendered alike. A sweep that
        any axis shows is no finding, even if a reader sees it
      </li>
      <li>
        <b>Paper</b> (small gray sign): its Table 2, judged by eye on InceptionV1 with other weights; for
        comparison, we do not claim to replicate it
      </li>
      <li>
        <b>Made from</b> {sources(report)}
      </li>
    </ul>
  );
}
