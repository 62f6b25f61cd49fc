import { describe, expect, it } from "vitest";
import {
  type Direction,
  middleUnit,
  nearestUnit,
  type ScreenPoint,
} from "../../src/unit-scatter/state/nearest-unit";

const RIGHT: Direction = [1, 0];
const LEFT: Direction = [-1, 0];
const UP: Direction = [0, -1];
const DOWN: Direction = [0, 1];

describe("the nearest point in a direction", () => {
  // A plus sign, and one point beside its right arm.
  const places: ScreenPoint[] = [
    [50, 50],
    [80, 50],
    [20, 50],
    [50, 20],
    [50, 80],
    [75, 90],
  ];

  it("is the one on that side", () => {
    expect([RIGHT, LEFT, UP, DOWN].map((way) => nearestUnit(places, 0, way))).toEqual([1, 2, 3, 4]);
  });

  it("is none where nothing lies on that side", () => {
    expect(nearestUnit(places, 1, RIGHT)).toBe(1);
    expect(nearestUnit(places, 3, UP)).toBe(3);
  });

  it("lies within 45° before anything nearer beside it", () => {
    const aside: ScreenPoint[] = [
      [0, 0],
      [5, 20],
      [60, 10],
    ];
    expect(nearestUnit(aside, 0, RIGHT)).toBe(2);
    expect(
      nearestUnit(
        [
          [0, 0],
          [5, 20],
        ],
        0,
        RIGHT,
      ),
    ).toBe(1);
  });

  it("passes points on one spot one after the other, forth and back", () => {
    const heap: ScreenPoint[] = [
      [10, 10],
      [10, 10],
      [10, 10],
      [40, 10],
    ];
    expect(nearestUnit(heap, 0, RIGHT)).toBe(1);
    expect(nearestUnit(heap, 1, RIGHT)).toBe(2);
    expect(nearestUnit(heap, 2, RIGHT)).toBe(3);
    expect(nearestUnit(heap, 2, LEFT)).toBe(1);
    expect(nearestUnit(heap, 0, LEFT)).toBe(0);
  });

  it("reaches every point of a cloud", () => {
    const cloud: ScreenPoint[] = Array.from({ length: 200 }, (_, at) => [(at * 37) % 101, (at * 61) % 89]);
    const seen = new Set([0]);
    const queue = [0];
    for (let at = queue.pop(); at !== undefined; at = queue.pop())
      for (const way of [RIGHT, LEFT, UP, DOWN]) {
        const next = nearestUnit(cloud, at, way);
        if (!seen.has(next)) queue.push(next);
        seen.add(next);
      }
    expect(seen.size).toBe(200);
  });

  it("never is a unit that is not drawn", () => {
    expect(nearestUnit([[0, 0], null, [30, 0]], 0, RIGHT)).toBe(2);
    expect(nearestUnit([null, [1, 1]], 0, RIGHT)).toBe(0);
  });
});

it("begins at the unit nearest the middleUnit, or nowhere", () => {
  expect(middleUnit([[0, 0], null, [52, 48], [100, 100]])).toBe(2);
  expect(middleUnit([null, null])).toBeNull();
  expect(middleUnit([])).toBeNull();
});
