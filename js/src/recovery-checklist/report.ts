// Recovery checklist: everything that Python sends once (`_report`), and the marks of its cells at a level.
// In: p-values and other numbers. Out: cells, the same as in tunewidgets/derived/recovery_marks.py; whatever changes here
// changes there.
import type { Cells } from "../shared/sprites";

export type Numbers = readonly (number | null)[];

export interface TableColumn {
  method: string;
  count: number;
  name: string;
  paper: (boolean | null)[];
}

export interface StripFacts {
  bank: number;
  column: number;
  seed: number;
  dimension: number;
  status: string;
  points: number;
  cells: Cells;
}

export interface Report {
  /** A bank of known filters, or films judged by their pictures alone. */
  subject: "bank" | "films";
  attribute: string[];
  seed: number[];
  bank: string[];
  readout: string[];
  model: string;
  others: string;
  vectors: number | null;
  /** The side of the square of positions that each vector pools. */
  pool: number;
  /** "mean" or "rms", the root of their mean square. */
  pooling: string;
  /** Whether each vector was divided by its contrast. */
  normalized: boolean;
  draws: number;
  points: number;
  images: number | null;
  alpha: number;
  smooth: number;
  columns: TableColumn[];
  /** What each bank's marks compare: "sweep" or "r2". */
  statistic: string[];
  /** Column, seed, bank: empty, or why there is nothing. */
  status: string[];
  /** Attribute, column, seed, bank, readout. */
  values: Record<"p" | "p_holm" | "p_rotation" | "observed" | "sweep" | "smoothness", Numbers>;
  best: number[];
  /** Attribute by attribute: seed, bank, filter. */
  filters: Numbers[];
  /** Exact 95% intervals of a share: by trials, then hits. */
  intervals: Record<string, [number, number][]>;
  strips: StripFacts[];
}

/** What the reader looks at; bank, readout and seed are indices into the report's lists. */
export interface Look {
  bank: number;
  readout: number;
  seed: number;
  alpha: number;
}

export type Mark = boolean | null;

export interface Cell {
  key: string;
  attribute: number;
  column: number;
  /** Its index in the report's lists. */
  at: number;
  inSubspace: Mark;
  onAxis: Mark;
  p: number | null;
  pRotation: number | null;
  observed: number | null;
  sweep: number | null;
  smoothness: number | null;
  best: number;
  recovering: number;
  seeds: number;
  paper: Mark;
  reason: string;
}

export type Entries = Readonly<Record<string, string>>;
export const VERDICTS = ["yes", "no", "unsure"] as const;
// Numbers come with six decimals.
const ROUNDING = 1e-6;

export function valueIndex(
  report: Report,
  attribute: number,
  column: number,
  look: Look,
  seed = look.seed,
): number {
  const { seed: seeds, bank, readout, columns } = report;
  const fitted = (attribute * columns.length + column) * seeds.length + seed;
  return (fitted * bank.length + look.bank) * readout.length + look.readout;
}

function passes(report: Report, p: number | null | undefined, at: number, alpha: number): Mark {
  if (p === null || p === undefined) return null;
  return p <= alpha + ROUNDING && (report.values.smoothness[at] ?? 0) >= report.smooth - ROUNDING;
}

export function inSubspace(report: Report, at: number, alpha: number): Mark {
  return passes(report, report.values.p[at], at, alpha);
}

export function cellKey(report: Report, attribute: number, column: number): string {
  const { method, count } = report.columns[column] as TableColumn;
  return `${report.attribute[attribute]}/${method}-${count}`;
}

/** The marks of one cell for each bank seed. */
export function overSeeds(report: Report, attribute: number, column: number, look: Look): Mark[] {
  return report.seed.map((_, seed) =>
    inSubspace(report, valueIndex(report, attribute, column, look, seed), look.alpha),
  );
}

export function cellOf(report: Report, attribute: number, column: number, look: Look): Cell {
  const at = valueIndex(report, attribute, column, look);
  const { values } = report;
  const marks = overSeeds(report, attribute, column, look).filter((mark) => mark !== null);
  const number = (name: keyof Report["values"]) => values[name][at] ?? null;
  const status = report.status[(column * report.seed.length + look.seed) * report.bank.length + look.bank];
  const p = number("p");
  return {
    key: cellKey(report, attribute, column),
    attribute,
    column,
    at,
    inSubspace: inSubspace(report, at, look.alpha),
    onAxis: passes(report, values.p_rotation[at], at, look.alpha),
    p,
    pRotation: number("p_rotation"),
    observed: number("observed"),
    sweep: number("sweep"),
    smoothness: number("smoothness"),
    best: report.best[at] ?? -1,
    recovering: marks.filter(Boolean).length,
    seeds: marks.length,
    paper: report.columns[column]?.paper[attribute] ?? null,
    reason: status || (p === null ? whyNoP(report, look) : ""),
  };
}

function whyNoP(report: Report, look: Look): string {
  return report.readout[look.readout] === "image"
    ? "no film of this bank seed was judged by its pictures"
    : "there is no p-value here";
}

/** Row by row: all columns of the first attribute, then of the next. */
export function cellsOf(report: Report, look: Look): Cell[] {
  return report.attribute.flatMap((_, attribute) =>
    report.columns.map((_, column) => cellOf(report, attribute, column, look)),
  );
}

/** What a column says about frequency, angle and phase together. */
export interface AllThree {
  column: number;
  recovered: Mark;
  /** The largest of Holm's three. */
  p: number | null;
  recovering: number;
  seeds: number;
  paper: Mark;
}

/** Three claims made at once: Holm's p-values decide, and a missing one leaves the mark open. */
function recoversAll(report: Report, column: number, look: Look, seed: number): Mark {
  const marks = report.attribute.map((_, attribute) => {
    const at = valueIndex(report, attribute, column, look, seed);
    return passes(report, report.values.p_holm[at], at, look.alpha);
  });
  return ofAll(marks);
}

function ofAll(marks: readonly Mark[]): Mark {
  return marks.includes(null) ? null : marks.every(Boolean);
}

/** A row below the attributes; films of a network make no such claim. */
export function allThreeOf(report: Report, look: Look): AllThree[] {
  if (report.subject === "films") return [];
  return report.columns.map(({ paper }, column) => {
    const marks = report.seed
      .map((_, seed) => recoversAll(report, column, look, seed))
      .filter((mark) => mark !== null);
    const holm = report.attribute.map(
      (_, attribute) => report.values.p_holm[valueIndex(report, attribute, column, look)] ?? null,
    );
    return {
      column,
      recovered: recoversAll(report, column, look, look.seed),
      p: holm.reduce((most, p) => (most === null || p === null ? null : Math.max(most, p)), 0),
      recovering: marks.filter(Boolean).length,
      seeds: marks.length,
      paper: ofAll(paper),
    };
  });
}

export interface Agreement {
  agree: number;
  of: number;
}

export function agreement(
  cells: readonly Cell[],
  verdicts: Entries,
  kind: "inSubspace" | "onAxis",
): Agreement {
  const judged = cells.filter(
    (cell) => cell[kind] !== null && (verdicts[cell.key] === "yes" || verdicts[cell.key] === "no"),
  );
  return {
    agree: judged.filter((cell) => (verdicts[cell.key] === "yes") === cell[kind]).length,
    of: judged.length,
  };
}

/** Levels worth offering: the record's own, and the usual ones below it that its draws can reach. */
export function levels(report: Report): number[] {
  const usual = [0.1, 0.05, 0.02, 0.01, 0.005, 0.001];
  const reached = usual.filter((level) => level < report.alpha && level * (report.draws + 1) >= 1 - 1e-9);
  return [report.alpha, ...reached];
}
