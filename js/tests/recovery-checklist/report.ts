// A small recovery report as Python sends it: two columns, two bank seeds, two banks, one readout.
import type { Report } from "../../src/recovery-checklist/report";
import { FakeModel } from "../fake-model";

const POINTS = 4;
const BINS = 32;
export const CELLS = 3 * 2 * 2 * 2;

/** Attribute, column, seed, bank: frequency is never recovered, angle by ICA, phase by both; ICA has no second seed. */
function p(at: number): number | null {
  const [attribute, column, seed] = [Math.floor(at / 8), Math.floor(at / 4) % 2, Math.floor(at / 2) % 2];
  if (column === 1 && seed === 1) return null;
  return attribute === 0 ? 0.6 : attribute === 1 && column === 0 ? 0.03 : 0.005;
}

/** Holm's: the smallest three times, the next twice, the largest as it is. */
function holm(at: number): number | null {
  const own = p(at);
  return own === null ? null : own === 0.6 ? 0.6 : own === 0.03 ? 0.06 : 0.015;
}

export function report(): Report {
  const each = Array.from({ length: CELLS }, (_, at) => at);
  const there = (value: number) => each.map((at) => (p(at) === null ? null : value));
  return {
    subject: "bank",
    attribute: ["frequency", "angle", "phase"],
    seed: [3, 8],
    bank: ["zero-mean", "with mean"],
    readout: ["activation"],
    model: "gabor_bank",
    others: "mean",
    vectors: 4000,
    pool: 1,
    pooling: "mean",
    normalized: false,
    draws: 199,
    points: POINTS,
    images: 100,
    alpha: 0.05,
    smooth: 0.65,
    columns: [
      { method: "ica", count: 3, name: "ICA-3", paper: [true, true, true] },
      { method: "My_Method", count: 2, name: "My_Method-2", paper: [null, null, null] },
    ],
    statistic: ["sweep", "r2"],
    status: ["", "", "", "", "", "", "2 components | are too many", "2 components | are too many"],
    values: {
      p: each.map(p),
      p_holm: each.map(holm),
      // The second column has no subspace.
      p_rotation: each.map((at) => (Math.floor(at / 4) % 2 === 0 ? 0.2 : null)),
      observed: there(1.5),
      sweep: there(1.5),
      // Angle by ICA of the second seed goes back and forth.
      smoothness: each.map((at) => (p(at) === null ? null : at === 10 ? 0.4 : 0.9)),
    },
    best: each.map((at) => (p(at) === null ? -1 : 1)),
    filters: [[], [0, 1, 2, 3], []],
    intervals: {
      1: [
        [0, 0.975],
        [0.025, 1],
      ],
      2: [
        [0, 0.842],
        [0.013, 0.987],
        [0.158, 1],
      ],
    },
    strips: [
      {
        bank: 0,
        column: 0,
        seed: 0,
        dimension: 1,
        status: "",
        points: POINTS,
        cells: { width: 8, height: 8, columns: 2 },
      },
      {
        bank: 1,
        column: 0,
        seed: 0,
        dimension: 1,
        status: "constant direction",
        points: POINTS,
        cells: { width: 8, height: 8, columns: 2 },
      },
    ],
  };
}

function packed(values: number[]): DataView {
  return new DataView(new Float32Array(values).buffer);
}

export function checklistModel(state: Record<string, unknown> = {}): FakeModel {
  const nulls = Array.from({ length: CELLS }, () => [0, 2, ...Array(BINS).fill(3)]);
  const rotations = Array.from({ length: CELLS }, (_, at) =>
    Math.floor(at / 4) % 2 === 0 ? [0, 2, ...Array(BINS).fill(1)] : Array(BINS + 2).fill(Number.NaN),
  );
  const curves = Array.from({ length: CELLS }, (_, at) =>
    Array.from({ length: POINTS }, (_, point) =>
      Math.floor(at / 8) === 0
        ? [-2 + point / 9, Number.NaN, Number.NaN]
        : [Math.cos(point), Math.sin(point), Math.floor(at / 8) === 1 ? Number.NaN : 0],
    ),
  );
  return new FakeModel({
    _report: report(),
    _curves: packed(curves.flat(2)),
    _nulls: packed(nulls.flatMap((one, at) => [...one, ...(rotations[at] as number[])])),
    _sprites: [new DataView(new ArrayBuffer(4)), new DataView(new ArrayBuffer(0))],
    bank: "zero-mean",
    readout: "activation",
    seed: 3,
    alpha: 0.05,
    opened: "",
    verdicts: {},
    notes: {},
    ...state,
  });
}
