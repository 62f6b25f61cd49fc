import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nearestIndex } from "../../src/tuning-explorer/film";
import { HEIGHT, marker, middleOf, WIDTH } from "../../src/tuning-explorer/histogram-geometry";
import { Photo, tint } from "../../src/tuning-explorer/photo";
import { sliderPosition } from "../../src/tuning-explorer/slider-scale";
import { film, photo } from "../fake-model";

beforeEach(() => {
  vi.stubGlobal("createImageBitmap", async () => ({ close: () => undefined }));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a photo", () => {
  const made = () => new Photo(photo(), new AbortController().signal);

  it("knows the coordinate of every position", () => {
    expect(made().coordinate(0, 0, 0)).toBe(-8);
    expect(made().coordinate(2, 1, 2)).toBe(8);
    expect(made().coordinate(1, 1, 0)).toBeCloseTo(-8 + (16 * 153) / 255);
  });

  it("has its map in the middle, a stride a position", () => {
    // 24 × 16 px of 40 × 20.
    const { left, top, width, height } = made().box;
    expect([left, top, width, height].map((share) => Number(share.toFixed(3)))).toEqual([0.2, 0.1, 0.6, 0.8]);
  });

  it("finds the position under a point, and the nearest one beside the map", () => {
    expect(made().positionAt(0.5, 0.2)).toEqual([0, 1]);
    expect(made().positionAt(0.79, 0.89)).toEqual([1, 2]);
    expect(made().positionAt(0, 1)).toEqual([1, 0]);
  });

  it("is clear at the middle and equally strong on both sides", () => {
    const axis = { low: -1, high: 4 };
    expect(tint(0, 0, axis)[3]).toBe(0);
    expect(tint(1, 0, axis)[3]).toBe(tint(-1, 0, axis)[3]);
    expect(tint(4, 0, axis)[3]).toBeGreaterThan(tint(2, 0, axis)[3]);
    expect(tint(-1, 0, axis).slice(0, 3)).not.toEqual(tint(1, 0, axis).slice(0, 3));
    expect(tint(9, 0, { low: 0, high: 0 })[3]).toBe(0);
  });
});

describe("a place in the photo", () => {
  const [dimension] = film(1, 5).dimensions;
  if (!dimension) throw new Error("a film without dimensions");

  it("goes to the point nearest to it", () => {
    expect(nearestIndex(dimension.coordinate, 0.6)).toBe(3);
    expect(nearestIndex([null, 2, 1], -5)).toBe(2);
  });

  it("is a line through the bars, at the slider's end where it lies beyond", () => {
    const at = (coordinate: number) => marker(sliderPosition(dimension.coordinate, coordinate), 5);
    expect(at(0)).toBe(`M${(WIDTH / 2).toFixed(1)} 0V${HEIGHT}`);
    expect(at(99)).toBe(`M${WIDTH}.0 0V${HEIGHT}`);
  });

  it("is judged from the mean of the data", () => {
    // Bins around −5, 0 and 5 that hold 1, 4 and 2.
    expect(middleOf(dimension)).toBeCloseTo(5 / 7);
  });
});
