import { expect, it } from "vitest";
import { measuredDrop } from "../../src/unit-scatter/data/units";

it("says a drop with its error, and calls one within it none", () => {
  expect(measuredDrop(0.12, 0.02)).toBe("12% ± 2.0%");
  expect(measuredDrop(-0.12, 0.02)).toBe("−12% ± 2.0%");
  expect(measuredDrop(0.004, 0.004)).toBe("none measurable (±0.4%)");
  expect(measuredDrop(0, 0)).toBe("none measurable (±0%)");
});

it("says the drop alone where no error is known", () => {
  expect(measuredDrop(0.12, undefined)).toBe("12%");
  expect(measuredDrop(0.12, null)).toBe("12%");
  expect(measuredDrop(null, 0.1)).toBe("–");
});
