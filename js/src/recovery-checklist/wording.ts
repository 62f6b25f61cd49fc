// Recovery checklist: cells and marks in words.
// In: a cell, or the whole report. Out: sentences, for the page and for its status region.
import { decimal } from "../shared/format";
import type { Checklist } from "./checklist";
import { type AllThree, agreement, type Cell, type Mark, type Report } from "./report";

export function markWord(mark: Mark): string {
  return mark === null ? "not there" : mark ? "yes" : "no";
}

/** P-values as papers print them: three decimals, never exactly zero. */
export function pText(p: number | null): string {
  if (p === null) return "–";
  return p < 0.0005 ? "< .001" : decimal(p, 3).replace(/^0/, "");
}

export function cellName(report: Report, cell: Cell): string {
  return `${report.attribute[cell.attribute]} by ${report.columns[cell.column]?.name}`;
}

/** A cell for screen readers. */
export function cellWords(checklist: Checklist, cell: Cell): string {
  const { report, state } = checklist;
  const verdict = state.verdicts[cell.key];
  const parts = [
    cellName(report, cell),
    cell.reason
      ? `not there: ${cell.reason}`
      : report.subject === "films"
        ? `beyond random axes ${markWord(cell.inSubspace)}`
        : `in the subspace ${markWord(cell.inSubspace)}, on the axis ${markWord(cell.onAxis)}`,
    cell.seeds > 0 && report.subject === "bank" ? `${cell.recovering} of ${cell.seeds} bank seeds` : "",
    cell.paper === null ? "" : `the paper says ${markWord(cell.paper)}`,
    verdict ? `your verdict ${verdict}` : "no verdict yet",
  ];
  return parts.filter(Boolean).join("; ");
}

/** The row "all three" for screen readers. */
export function allThreeWords(report: Report, one: AllThree): string {
  const parts = [
    `${report.columns[one.column]?.name} recovers all three: ${markWord(one.recovered)}`,
    one.seeds > 0 ? `${one.recovering} of ${one.seeds} bank seeds` : "",
    one.paper === null ? "" : `the paper says ${markWord(one.paper)}`,
  ];
  return parts.filter(Boolean).join("; ");
}

/** What the marks were computed from. */
export function sources(report: Report): string {
  const { vectors, images, pool, pooling, normalized } = report;
  const of = images === null ? "" : ` of ${images} images`;
  const over = pooling === "rms" ? "root mean square" : "mean";
  const mean = pool > 1 ? `, each the ${over} of ${pool} × ${pool} neighboring positions` : "";
  const contrast = normalized ? ", contrast normalized" : "";
  const rest = report.others === "zero" ? "zero" : "their mean";
  const held = `other dimensions held at ${rest}`;
  return vectors === null ? held : `${vectors} activation vectors${of}${mean}${contrast}; ${held}`;
}

export function agreementWords(checklist: Checklist): string {
  const { cells, state } = checklist;
  const given = cells.filter((cell) => state.verdicts[cell.key]);
  if (given.length === 0) return "No verdict yet.";
  const [subspace, axis] = [
    agreement(cells, state.verdicts, "inSubspace"),
    agreement(cells, state.verdicts, "onAxis"),
  ];
  const unsure = given.filter((cell) => state.verdicts[cell.key] === "unsure").length;
  const parts = [
    `${given.length} of ${cells.length} cells judged${unsure ? `, ${unsure} unsure` : ""}`,
    subspace.of
      ? `${subspace.agree} of ${subspace.of} agree with the marks${checklist.report.subject === "films" ? "" : " in the subspace"}`
      : "",
    axis.of ? `${axis.agree} of ${axis.of} agree with those on the axis` : "",
  ];
  return `${parts.filter(Boolean).join("; ")}.`;
}

export function describe(checklist: Checklist): string {
  const { state } = checklist;
  const cell = state.opened ? checklist.cell(state.opened) : undefined;
  return cell ? `open: ${cellWords(checklist, cell)}` : agreementWords(checklist);
}
