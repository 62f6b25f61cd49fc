import { describe, expect, it } from "vitest";
import { landmarks, suggestionOf } from "../../src/tuning-explorer/film";
import { axisOf, bars, HEIGHT, leader, rug, WIDTH, xOf } from "../../src/tuning-explorer/histogram-geometry";
import { begin, next } from "../../src/tuning-explorer/play-trip";
import { film } from "../fake-model";

const [dimension] = film(1, 5).dimensions;
if (!dimension) throw new Error("a film without dimensions");

describe("what stands under a slider", () => {
  const axis = axisOf(dimension);

  it("has an axis that holds every coordinate and every bin", () => {
    expect(axis).toEqual({ low: -8, high: 8 });
    expect(xOf(axis, 0)).toBe(WIDTH / 2);
  });

  it("leads from a point's place on the slider to its coordinate's place on the axis", () => {
    // Second of five points: a quarter along the slider; its coordinate −1 lies at 7/16 of the axis.
    const there = ((WIDTH * 7) / 16).toFixed(1);
    expect(leader(dimension, axis, 1)).toBe(`M250.0 0L${there} 9V${HEIGHT}`);
    expect(rug(dimension, axis).match(/M[\d.]+/g)).toEqual([
      `M0.0`,
      `M${there}`,
      "M500.0",
      "M562.5",
      "M1000.0",
    ]);
  });

  it("draws bars in proportion, the fullest bin as high as there is room", () => {
    const tops = [...bars(dimension, axis).matchAll(/V([\d.]+)H/g)].map((match) => HEIGHT - Number(match[1]));
    expect(tops.map(Math.round)).toEqual([8, 31, 16]);
  });

  it("draws a constant dimension too", () => {
    const flat = { ...dimension, coordinate: [2, 2], edges: [2, 2], histogram: [5] };
    expect(bars(flat, axisOf(flat))).not.toContain("NaN");
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

  it("of landmarks: first, middle and last, each once", () => {
    expect(landmarks(32)).toEqual([0, 15, 31]);
    expect(landmarks(2)).toEqual([0, 1]);
    expect(landmarks(1)).toEqual([0]);
  });
});
