import { describe, expect, it } from "vitest";
import { spread } from "../../src/recovery-checklist/film-strip";
import { agreement, allThreeOf, cellsOf, levels } from "../../src/recovery-checklist/report";
import { csv, latex, markdown } from "../../src/recovery-checklist/table-text";
import { pText, sources } from "../../src/recovery-checklist/wording";
import { report } from "./report";

const look = { bank: 0, readout: 0, seed: 0, alpha: 0.05 };
const marks = (alpha: number, seed = 0) =>
  cellsOf(report(), { ...look, alpha, seed }).map((cell) => [cell.inSubspace, cell.onAxis]);

describe("marks", () => {
  it("need p at the level and a smooth curve, and are absent where there is no p", () => {
    expect(marks(0.05)).toEqual([
      [false, false],
      [false, null],
      [true, false],
      [true, null],
      [true, false],
      [true, null],
    ]);
    expect(marks(0.05, 1)[2]).toEqual([false, false]);
    expect(marks(0.05, 1)[3]).toEqual([null, null]);
  });

  it("become fewer at a lower level, which is reached exactly", () => {
    expect(marks(0.03)[2]?.[0]).toBe(true);
    expect(marks(0.02)[2]?.[0]).toBe(false);
    expect(marks(0.005)[4]?.[0]).toBe(true);
  });

  it("count the bank seeds that have them, and only seeds that exist", () => {
    const [, , angle, own] = cellsOf(report(), look);
    expect([angle?.recovering, angle?.seeds]).toEqual([1, 2]);
    expect([own?.recovering, own?.seeds]).toEqual([1, 1]);
  });

  it("say why there is none", () => {
    expect(cellsOf(report(), { ...look, seed: 1 })[3]?.reason).toBe("2 components | are too many");
  });

  it("agree with verdicts of yes and no only, where there is a mark", () => {
    const verdicts = {
      "angle/ica-3": "yes",
      "phase/ica-3": "no",
      "frequency/ica-3": "unsure",
      "angle/My_Method-2": "yes",
    };
    const cells = cellsOf(report(), look);
    expect(agreement(cells, verdicts, "inSubspace")).toEqual({ agree: 2, of: 3 });
    expect(agreement(cells, verdicts, "onAxis")).toEqual({ agree: 1, of: 2 });
  });

  it("are of all three where Holm's p-values of all reach the level", () => {
    const [ica, own] = allThreeOf(report(), look);
    expect(ica).toEqual({ column: 0, recovered: false, p: 0.6, recovering: 0, seeds: 2, paper: true });
    expect(own).toEqual({ column: 1, recovered: false, p: 0.6, recovering: 0, seeds: 1, paper: null });
    // Below the level all, but angle goes back and forth in the second seed, and it has no second column.
    const found = report();
    found.values.p_holm = found.values.p.map((p) => (p === null ? null : 0.04));
    const over = (patch: object) =>
      allThreeOf(found, { ...look, ...patch }).map((one) => [one.recovered, one.recovering, one.seeds]);
    expect(over({})).toEqual([
      [true, 1, 2],
      [true, 1, 1],
    ]);
    expect(over({ seed: 1 })).toEqual([
      [false, 1, 2],
      [null, 1, 1],
    ]);
    expect(over({ alpha: 0.02 })[0]).toEqual([false, 0, 2]);
    expect(allThreeOf({ ...found, subject: "films" }, look)).toEqual([]);
  });

  it("are offered at levels that the draws reach", () => {
    expect(levels(report())).toEqual([0.05, 0.02, 0.01, 0.005]);
    expect(levels({ ...report(), draws: 39 })).toEqual([0.05]);
  });
});

describe("what the marks were computed from", () => {
  it("is said as far as it is known, neighborhoods only where there are any", () => {
    expect(sources(report())).toBe(
      "4000 activation vectors of 100 images; other dimensions held at their mean",
    );
    expect(sources({ ...report(), pool: 3, pooling: "rms" })).toContain(
      ", each the root mean square of 3 × 3 neighboring positions;",
    );
    expect(sources({ ...report(), pool: 3, normalized: true, images: null, others: "zero" })).toBe(
      "4000 activation vectors, each the mean of 3 × 3 neighboring positions, contrast normalized; other dimensions held at zero",
    );
  });
});

describe("the table as text", () => {
  const judged = () => ({
    report: report(),
    look,
    cells: cellsOf(report(), look),
    verdicts: { "angle/ica-3": "yes" },
    notes: { "angle/ica-3": 'turns | "slowly",\n50% & more' },
  });

  it("is Markdown", () => {
    const lines = markdown(judged()).split("\n");
    expect(lines[2]).toBe("|  |  | ICA-3 | My\\_Method-2 |");
    expect(lines).toContain("| angle | in the subspace | ✓ | ✓ |");
    expect(lines).toContain("|  | on the axis | ✗ | – |");
    expect(lines).toContain("|  | reader | yes | – |");
    const together = lines.indexOf("| all three | by Holm | ✗ | ✗ |");
    expect(lines.slice(together + 1, together + 3)).toEqual([
      "|  | bank seeds | 0/2 | 0/1 |",
      "|  | paper, by eye | ✓ | – |",
    ]);
    expect(lines.at(-2)).toBe('- angle, ICA-3: turns \\| "slowly", 50% & more');
  });

  it("is LaTeX", () => {
    const text = latex(judged());
    expect(text).toContain("angle & in the subspace & $\\checkmark$ & $\\checkmark$ \\\\");
    expect(text).toContain("My\\_Method-2");
    expect(text).not.toContain("✓");
  });

  it("is CSV with quotes where they are needed", () => {
    const text = csv(judged());
    expect(text).toContain(
      'angle,ica,3,zero-mean,activation,3,0.05,yes,no,0.03,0.2,1.5,0.9,1,2,yes,yes,"turns',
    );
    expect(text).toContain('""slowly""');
    expect(text.split("\n")[2]).toBe(
      "frequency,My_Method,2,zero-mean,activation,3,0.05,no,,0.6,,1.5,0.9,0,1,,,",
    );
    expect(text.split("\n").at(-3)).toBe("all three,ica,3,zero-mean,activation,3,0.05,no,,0.6,,,,0,2,yes,,");
  });
});

describe("small things", () => {
  it("spread a dozen images from the first point to the last", () => {
    expect(spread(4, 12)).toEqual([0, 1, 2, 3]);
    expect(spread(32, 12).at(0)).toBe(0);
    expect(spread(32, 12).at(-1)).toBe(31);
    expect(new Set(spread(32, 12)).size).toBe(12);
  });

  it("write p without a claim of zero", () => {
    expect([pText(0.005), pText(1), pText(0.0001), pText(null)]).toEqual([".005", "1.000", "< .001", "–"]);
  });
});
