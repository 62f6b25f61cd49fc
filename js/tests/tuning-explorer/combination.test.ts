import { describe, expect, it } from "vitest";
import { randomStep } from "../../src/tuning-explorer/random-walk";
import { coordinateAt, sliderPosition } from "../../src/tuning-explorer/slider-scale";

describe("a slider between points", () => {
  const line = [-8, -1, 0, 1, 8];

  it("has a coordinate for every place, and a place for every coordinate", () => {
    expect(coordinateAt(line, 1.5)).toBe(-0.5);
    expect(coordinateAt(line, 4)).toBe(8);
    for (const place of [0, 0.25, 1, 2.75, 3.5, 4])
      expect(sliderPosition(line, coordinateAt(line, place))).toBeCloseTo(place, 10);
  });

  it("ends where the film ends", () => {
    expect(coordinateAt(line, 9)).toBe(8);
    expect(sliderPosition(line, 100)).toBe(4);
    expect(sliderPosition(line, -100)).toBe(0);
    expect(sliderPosition([2], 5)).toBe(0);
  });
});

describe("a random walk", () => {
  it("stays within every row's range, and leaves no row behind", () => {
    const ranges = [
      { low: -1, high: 1 },
      { low: 0, high: 50 },
      { low: 3, high: 3 },
    ];
    let here = [0, 25, 3];
    const seen: number[][] = [];
    for (let step = 0; step < 500; step++) {
      here = randomStep(here, ranges);
      seen.push(here);
    }
    for (const [row, { low, high }] of ranges.entries()) {
      const values = seen.map((place) => place[row] ?? Number.NaN);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
      if (high > low) expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan((high - low) / 2);
    }
  });
});
