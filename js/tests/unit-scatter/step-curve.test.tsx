import { render } from "preact";
import { expect, it } from "vitest";
import { StepCurve } from "../../src/unit-scatter/unit-panel/step-curve";

function shown(steps: number[], now: number): HTMLElement {
  const el = document.createElement("div");
  const line = { steps, values: steps.map((_, at) => 0.5 + at / 8) };
  render(<StepCurve name="RS" line={line} steps={8} now={now} range={[0, 1]} />, el);
  return el;
}

it("says the value at the step that was reached, and none where the curve ended before", () => {
  const whole = shown([2, 4, 8], 8);
  expect(whole.querySelector("b")?.textContent).toBe("0.75");
  expect(whole.querySelector("svg")?.getAttribute("aria-label")).toBe("RS after 8 of 8 steps: 0.75");
  expect(whole.querySelectorAll("circle")).toHaveLength(1);
  const ended = shown([2, 4], 8);
  expect(ended.querySelector("b")?.textContent).toBe("–");
  expect(ended.querySelector("svg")?.getAttribute("aria-label")).toBe("RS after 8 of 8 steps: none");
  expect(ended.querySelectorAll("circle")).toHaveLength(0);
});
