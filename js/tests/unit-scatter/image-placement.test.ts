import { describe, expect, it } from "vitest";
import type { Figure } from "../../src/unit-scatter/plot/figure";
import { fileFigure } from "../../src/unit-scatter/plot/file-figure";
import { imageAt, placedImages, SIDE } from "../../src/unit-scatter/plot/image-placement";
import { onScale, unitColors } from "../../src/unit-scatter/plot/unit-colors";
import type { ScreenPoint } from "../../src/unit-scatter/state/nearest-unit";

/** Places that look random and are the same every time. */
function scattered(count: number): ScreenPoint[] {
  return Array.from({ length: count }, (_, at) =>
    at % 17 === 0 ? null : [(at * 131.7) % 500, (at * at * 7.3) % 300],
  );
}

describe("images in the plot", () => {
  const places = scattered(400);
  const order = [...places.keys()].reverse();
  const units = placedImages(places, order);
  const overlap = (a: number, b: number) => {
    const [one, other] = [places[a], places[b]];
    return (
      one &&
      other &&
      a !== b &&
      Math.abs(one[0] - other[0]) < SIDE + 2 &&
      Math.abs(one[1] - other[1]) < SIDE + 2
    );
  };

  it("never overlap", () => {
    expect(units.length).toBeGreaterThan(20);
    expect(units.filter((unit) => units.some((other) => overlap(unit, other)))).toEqual([]);
  });

  it("leave out only those that would overlap one before them", () => {
    const without = order.filter((unit) => places[unit] && !units.includes(unit));
    const before = (unit: number) => units.filter((other) => order.indexOf(other) < order.indexOf(unit));
    expect(without.filter((unit) => !before(unit).some((other) => overlap(unit, other)))).toEqual([]);
  });

  it("are found under the mouse from corner to corner", () => {
    const unit = units[3] ?? 0;
    const [x, y] = places[unit] ?? [0, 0];
    expect(imageAt(places, units, x + SIDE / 2, y - SIDE / 2)).toBe(unit);
    expect(imageAt([[0, 0]], [0], SIDE / 2 + 1, 0)).toBeUndefined();
    expect(imageAt(places, units, Number.NaN, Number.NaN)).toBeUndefined();
  });
});

describe("a unit's color", () => {
  const scale = [
    [0, "#000000"],
    [0.5, "#ff0000"],
    [1, "#ffff00"],
  ] as const;

  it("lies between those of the scale", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => onScale(scale, share))).toEqual([
      "rgb(0, 0, 0)",
      "rgb(128, 0, 0)",
      "rgb(255, 0, 0)",
      "rgb(255, 128, 0)",
      "rgb(255, 255, 0)",
    ]);
  });

  it("is its class's, or its value's from the least to the largest", () => {
    const trace = { customdata: [4, 0, 2], marker: { color: [-1, null, 3], colorscale: scale } };
    const classes = { customdata: [1], marker: { color: "#0072B2" } };
    const figure = { data: [trace, classes] } as unknown as Figure;
    expect(unitColors(figure)).toEqual([undefined, "#0072B2", "rgb(255, 255, 0)", undefined, "rgb(0, 0, 0)"]);
    const alike = { customdata: [0], marker: { color: [2], colorscale: scale } };
    expect(unitColors({ data: [alike] } as unknown as Figure)).toEqual(["rgb(255, 0, 0)"]);
  });
});

describe("the figure in a file", () => {
  const trace = { x: [1, 10, 100], y: [0, 0.5, 0.501], customdata: [0, 1, 2], meta: {}, marker: {} };
  const layout = { xaxis: { type: "log", range: [0, 2] }, yaxis: { type: "linear", range: [0, 1] } };
  const figure = { data: [trace], layout } as unknown as Figure;

  it("is without images as it was", () => {
    const { layout: kept, width } = fileFigure(figure, [], () => "never asked");
    expect(kept).toBe(layout);
    expect(width).toBe(760);
  });

  it("has the images where their points are, in shares of the axes", () => {
    const images = fileFigure(figure, [2, 1, 0], (unit) => (unit === 0 ? undefined : `image ${unit}`)).layout
      .images;
    expect(images).toMatchObject([
      { source: "image 2", x: 1, y: 0.501 },
      { source: "image 1", x: 0.5, y: 0.5 },
    ]);
  });
});
