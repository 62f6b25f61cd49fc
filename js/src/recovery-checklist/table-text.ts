// Recovery checklist: the table as Markdown, LaTeX or CSV.
// In: the report, the reader's choice and verdicts. Out: text, the same as tunewidgets/derived/recovery_text.py writes;
// whatever changes here changes there.
import { allThreeOf, type Cell, type Entries, type Look, type Mark, type Report } from "./report";

export interface Judged {
  report: Report;
  look: Look;
  cells: readonly Cell[];
  verdicts: Entries;
  notes: Entries;
}

const ROWS = ["in the subspace", "on the axis", "bank seeds", "paper, by eye", "reader"];
const ALL_THREE_ROWS = ["by Holm", "bank seeds", "paper, by eye"];
export const ALL_THREE = "all three";
const FILM_ROWS = ["beyond random axes", "paper, by eye", "reader"];
const ABSENT = "–";
const BESIDE =
  "The paper's marks were judged by eye, on another bank and other images; " +
  "they stand here for comparison, not as something replicated. All three: frequency, angle and phase of one bank, " +
  "corrected by Holm for three claims at once.";
const BESIDE_FILMS =
  "A mark asks whether some dimension goes further than the furthest of as many random axes of the same subspace. The " +
  "paper's marks were judged by eye, on InceptionV1 with other weights; they stand here for comparison, not as something " +
  "replicated.";
const CSV_COLUMNS =
  "attribute,method,n_components,bank,readout,seed,alpha,in_subspace,on_axis,p,p_rotation,sweep,smoothness," +
  "seeds_recovering,seeds,paper,verdict,note";

const sign = (mark: Mark) => (mark === null ? ABSENT : mark ? "✓" : "✗");
const word = (mark: Mark) => (mark === null ? "" : mark ? "yes" : "no");

function short(value: number | null): string {
  if (value === null) return "";
  const text = value.toFixed(6).replace(/0+$/, "").replace(/\.$/, "");
  return text === "-0" ? "0" : text;
}

const rowsOf = (report: Report) => (report.subject === "films" ? FILM_ROWS : ROWS);
const beside = (report: Report) => (report.subject === "films" ? BESIDE_FILMS : BESIDE);

function caption({ report, look }: Judged): string {
  if (report.subject === "films") {
    return `What the pictures of tuning dimensions are about: ${report.model}, marks at α = ${short(look.alpha)}.`;
  }
  return (
    `Recovery of Gabor attributes: bank ${report.bank[look.bank]}, readout from the ${report.readout[look.readout]}, ` +
    `marks of bank seed ${report.seed[look.seed]} at α = ${short(look.alpha)}.`
  );
}

const count = ({ recovering, seeds }: { recovering: number; seeds: number }) =>
  seeds ? `${recovering}/${seeds}` : ABSENT;

function grid({ report, look, cells, verdicts }: Judged): string[][] {
  const width = report.columns.length;
  const rows = [["", "", ...report.columns.map((column) => column.name)]];
  report.attribute.forEach((name, attribute) => {
    const row = cells.slice(attribute * width, (attribute + 1) * width);
    const ofBanks = [row.map((cell) => sign(cell.onAxis)), row.map(count)];
    const lines = [
      row.map((cell) => sign(cell.inSubspace)),
      ...(report.subject === "films" ? [] : ofBanks),
      row.map((cell) => sign(cell.paper)),
      row.map((cell) => verdicts[cell.key] ?? ABSENT),
    ];
    lines.forEach((line, at) => {
      rows.push([at === 0 ? name : "", rowsOf(report)[at] as string, ...line]);
    });
  });
  const together = allThreeOf(report, look);
  if (together.length) {
    const lines = [
      together.map((one) => sign(one.recovered)),
      together.map(count),
      together.map((one) => sign(one.paper)),
    ];
    lines.forEach((line, at) => {
      rows.push([at === 0 ? ALL_THREE : "", ALL_THREE_ROWS[at] as string, ...line]);
    });
  }
  return rows;
}

const forMarkdown = (text: string) =>
  text
    .replace(/[\\|<*_`[]/g, "\\$&")
    .trim()
    .split(/\s+/)
    .join(" ");

export function markdown(judged: Judged): string {
  const [head = [], ...rows] = grid(judged).map((row) => row.map(forMarkdown));
  const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const { report, cells, notes } = judged;
  const noted = cells
    .filter((cell) => notes[cell.key]?.trim())
    .map(({ attribute, column, key }) => {
      const name = forMarkdown(report.columns[column]?.name ?? "");
      return `- ${report.attribute[attribute]}, ${name}: ${forMarkdown(notes[key] ?? "")}`;
    });
  return [
    caption(judged),
    "",
    ...table,
    "",
    beside(report),
    ...(noted.length ? [""] : []),
    ...noted,
    "",
  ].join("\n");
}

const LATEX: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "✓": "$\\checkmark$",
  "✗": "$\\times$",
  "–": "--",
  α: "$\\alpha$",
};
const forLatex = (text: string) => text.replace(/./gsu, (one) => LATEX[one] ?? one);

export function latex(judged: Judged): string {
  const [head = [], ...rows] = grid(judged).map((row) => row.map(forLatex));
  const line = (row: string[]) => `${row.join(" & ")} \\\\`;
  return [
    "% \\usepackage{amssymb}",
    "\\begin{table}",
    "\\centering",
    `\\begin{tabular}{ll${"c".repeat(head.length - 2)}}`,
    "\\hline",
    line(head),
    ...rows.flatMap((row, at) =>
      at % rowsOf(judged.report).length === 0 ? ["\\hline", line(row)] : [line(row)],
    ),
    "\\hline",
    "\\end{tabular}",
    `\\caption{${forLatex(`${caption(judged)} ${beside(judged.report)}`)}}`,
    "\\end{table}",
    "",
  ].join("\n");
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function csv({ report, look, cells, verdicts, notes }: Judged): string {
  const line = (attribute: string, at: number, rest: string[]) => {
    const column = report.columns[at];
    return [
      attribute,
      column?.method ?? "",
      String(column?.count),
      report.bank[look.bank] ?? "",
      report.readout[look.readout] ?? "",
      String(report.seed[look.seed]),
      short(look.alpha),
      ...rest,
    ]
      .map(quoted)
      .join(",");
  };
  const lines = cells.map((cell) =>
    line(report.attribute[cell.attribute] ?? "", cell.column, [
      word(cell.inSubspace),
      word(cell.onAxis),
      ...[cell.p, cell.pRotation, cell.sweep, cell.smoothness].map(short),
      String(cell.recovering),
      String(cell.seeds),
      word(cell.paper),
      verdicts[cell.key] ?? "",
      notes[cell.key] ?? "",
    ]),
  );
  const together = allThreeOf(report, look).map((one) =>
    line(ALL_THREE, one.column, [
      word(one.recovered),
      "",
      short(one.p),
      "",
      "",
      "",
      String(one.recovering),
      String(one.seeds),
      word(one.paper),
      "",
      "",
    ]),
  );
  return [CSV_COLUMNS, ...lines, ...together, ""].join("\n");
}
