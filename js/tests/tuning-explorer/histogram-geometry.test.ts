import { describe, expect, it } from "vitest";
import { isHardlyAny, sharesOf } from "../../src/tuning-explorer/data-near-points";
import { dimensionsOfUnit, landmarks, suggestionOf } from "../../src/tuning-explorer/film";
import {
  axisOf,
  bar,
  bars,
  HEIGHT,
  line,
  marker,
  WIDTH,
  xOf,
} from "../../src/tuning-explorer/histogram-geometry";
import { begin, next } from "../../src/tuning-explorer/play-trip";
import { alignment } from "../../src/tuning-explorer/trust";
import { film } from "../fake-model";

const [dimension] = film(1, 5).dimensions;
if (!dimension) throw new Error("a film without dimensions");

describe("the data nearest to each point", () => {
  it("are all of the data, shared out at the middles between points", () => {
    // Coordinates −8, −1, 0, 1, 8; bins of 1, 4 and 2 from −8 to −2, 2 and 8, evenly spread within.
    const shares = sharesOf(dimension);
    const wanted = [3.5 / 6, 2.5 / 6 + 1.5, 1, 1.5 + 2.5 / 3, 3.5 / 3];
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
    shares.forEach((share, at) => {
      expect(share).toBeCloseTo((wanted[at] ?? 0) / 7);
    });
  });

  it("are none where nothing is known, and all at a dimension's only point or constant value", () => {
    expect(sharesOf({ ...dimension, histogram: [0, 0, 0] })).toEqual([]);
    expect(sharesOf({ ...dimension, coordinate: [null, 0, 0, 0, 0] })).toEqual([]);
    expect(sharesOf({ ...dimension, coordinate: [3] })).toEqual([1]);
    const flat = { ...dimension, coordinate: [2, 2], edges: [2, 2], histogram: [5] };
    expect(sharesOf(flat).reduce((sum, share) => sum + share)).toBe(1);
    expect(bars(sharesOf(flat))).not.toContain("NaN");
  });

  it("are hardly any below a tenth of an even share", () => {
    expect(isHardlyAny(0.019, 5)).toBe(true);
    expect(isHardlyAny(0.021, 5)).toBe(false);
    expect(isHardlyAny(undefined, 5)).toBe(false);
  });
});

describe("what stands over a slider", () => {
  const shares = [0.005, 0.2, 0.4, 0.395, 0];

  it("is a bar right over each point, in proportion to its share", () => {
    expect(bar(shares, 1)).toBe(`M135.0 ${HEIGHT}V${HEIGHT - 13.5}H365.0V${HEIGHT}Z`);
    expect(bar(shares, 4)).toBe("");
    const tops = [...bars(shares).matchAll(/V([\d.]+)H/g)].map((match) => HEIGHT - Number(match[1]));
    expect(tops.map((top) => top.toFixed(1))).toEqual(["0.8", "13.5", "27.0", "26.7"]);
  });

  it("is a line, apart where hardly any data lies", () => {
    expect(line(shares, 5)).toEqual({
      few: `M-125.0 ${HEIGHT}H125.0M875.0 ${HEIGHT}H1125.0`,
      held: `M125.0 ${HEIGHT}H875.0`,
    });
    expect(line([], 5)).toEqual({ few: "", held: `M-125.0 ${HEIGHT}H1125.0` });
  });

  it("marks a place between two points", () => {
    expect(marker(1.5, 5)).toBe(`M375.0 0V${HEIGHT}`);
    expect(xOf(0, 1)).toBe(WIDTH / 2);
  });

  it("has an axis that holds every coordinate and every bin", () => {
    expect(axisOf(dimension)).toEqual({ low: -8, high: 8 });
  });
});

describe("the words for a cosine", () => {
  it("are of the share of the response that lies along what was wanted", () => {
    expect([0.72, 0.7, 0.32, 0.31, -1].map(alignment)).toEqual([
      "well",
      "partly",
      "partly",
      "hardly",
      "hardly",
    ]);
  });
});

describe("a unit's dimensions", () => {
  it("are those in which it is among the heaviest, heaviest first, each with its heaviest point", () => {
    const two = film(3, 5, { 2: "nothing" });
    const [, second] = two.dimensions;
    if (!second) throw new Error("a film of one dimension");
    second.weights = second.weights.map((_, point) => [point === 3 ? 2 : 0.5, 0.1]);
    expect(dimensionsOfUnit(two, 3)).toEqual([
      { at: 1, point: 3, weight: 2 },
      { at: 0, point: 3, weight: 0.8 },
    ]);
    expect(dimensionsOfUnit(two, 11)).toEqual([]);
  });
});

describe("a round trip", () => {
  function places(from: number, points: number): number[] {
    const seen: number[] = [];
    for (let trip = next(begin(from), points); trip; trip = next(trip, points)) seen.push(trip.at);
    return seen;
  }

  it("goes on to the last point, back to the first, and home", () => {
    expect(places(1, 4)).toEqual([2, 3, 2, 1, 0, 1]);
    expect(places(0, 3)).toEqual([1, 2, 1, 0]);
    expect(places(2, 3)).toEqual([1, 0, 1, 2]);
  });

  it("is over at once where there is nowhere to go", () => {
    expect(places(0, 1)).toEqual([]);
  });
});

describe("names", () => {
  it("of suggestions stand before their strength", () => {
    const parts = (suggestion: string) => suggestionOf({ ...dimension, suggestion });
    expect(parts("orange/blue, p = .035")).toEqual({ name: "orange/blue", strength: "p = .035" });
    expect(parts("angle, p < .001")).toEqual({ name: "angle", strength: "p < .001" });
    expect(parts("turns, and bends")).toEqual({ name: "turns, and bends", strength: "" });
    expect(parts("")).toEqual({ name: "", strength: "" });
  });

  it("of landmarks: seven from the first to the last, or all", () => {
    expect(landmarks(32)).toEqual([0, 5, 10, 16, 21, 26, 31]);
    expect(landmarks(7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(landmarks(2)).toEqual([0, 1]);
    expect(landmarks(1)).toEqual([0]);
  });
});
