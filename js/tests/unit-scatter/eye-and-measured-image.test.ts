import { describe, expect, it } from "vitest";
import { caption, eyeImage, imageName, isFlat } from "../../src/unit-scatter/data/eye-and-measured-image";
import { type Grown, grow } from "../../src/unit-scatter/data/layer-updates";
import { unitWarnings } from "../../src/unit-scatter/data/unit-warnings";
import type { Layer } from "../../src/unit-scatter/data/units";
import { layer } from "./units";

const FLAT = "flat: one color is the best that was found";

/** Unit 0 has two images, 1 is flat with one position shown, 2 is flat, 3 is silent, 4 has one image. */
function made(): Layer {
  const one = layer("conv1", [0.1, 0.2, 0.3, 0.4, 0.5], [0, 0, 0, null, 0]);
  const { iam } = one.shown;
  if (!iam) throw new Error("no IAM");
  iam.display = { "bounded contrast": [0], "one position": [1] };
  iam.said = { 1: FLAT, 2: FLAT, 3: "silent: no image that was tried excites this unit" };
  one.table.silent = { iam: [3] };
  return one;
}

const told = (measured: boolean) => (unit: number) => imageName(made(), "iam", unit, measured);

describe("a unit's two images", () => {
  it("are told apart in words that stand beside them and are heard", () => {
    const one = made();
    expect([0, 1, 2, 3, 4].map((unit) => eyeImage(one, "iam", unit))).toEqual([
      "bounded contrast",
      "one position",
      "",
      "",
      "",
    ]);
    expect([0, 1, 2, 4].map(told(false))).toEqual([
      "IAM image of unit 0, bounded contrast",
      "IAM image of unit 1, one position",
      "IAM image of unit 2, one flat color",
      "IAM image of unit 4",
    ]);
    expect([0, 1, 4].map(told(true))).toEqual([
      "IAM image of unit 0, as RS was measured",
      "IAM image of unit 1, as RS was measured, one flat color",
      "IAM image of unit 4",
    ]);
    expect(caption(one, "iam", 0, false)).toBe(
      "Bounded contrast, for the eye; RS was measured on the image at full contrast.",
    );
    expect(caption(one, "iam", 0, true)).toBe("Full contrast: the image that RS was measured on.");
    expect(caption(one, "iam", 1, false)).toBe(
      "One position of the map; the image that maximizes the mean is one flat color.",
    );
    expect(caption(one, "iam", 1, true)).toBe("One flat color: the image that RS was measured on.");
    expect([2, 4].map((unit) => caption(one, "iam", unit, false))).toEqual(["", ""]);
  });

  it("have each the unit's activation, where both are known", () => {
    const one = made();
    one.table.columns.own_response = {
      label: "response",
      kind: "number",
      axis: { iam: { scale: "linear", range: [0, 9], ticks: [], varied: true } },
      values: { am: [], iam: [8, 2, 1, null, 1] },
    };
    const ends = (measured: boolean) => caption(one, "iam", 0, measured).split(". ")[1];
    expect(ends(false)).toBeUndefined();
    (one.shown.iam as { displayResponses: object }).displayResponses = { 0: 6.5 };
    expect(ends(false)).toBe("Activation 6.50 on this image, 8.00 on the other.");
    expect(ends(true)).toBe("Activation 8.00 on this image, 6.50 on the other.");
  });
});

describe("a unit without a pattern of its own", () => {
  it("is said to be flat, with what says more", () => {
    const one = made();
    expect([0, 1, 2].map((unit) => isFlat(one, "iam", unit))).toEqual([false, true, true]);
    const flat = "Flat: one color is the best IAM image that was found.";
    expect(unitWarnings(one, "iam", 1)).toEqual([`${flat} The image for one position of its map says more.`]);
    expect(unitWarnings(one, "iam", 2)).toEqual([
      `${flat} Look at one position of its map instead: tw.Neuron.`,
    ]);
    one.exemplars = { images: [[], [], [17, -1]], activations: null };
    expect(unitWarnings(one, "iam", 2)).toEqual([
      `${flat} The images of the data that it responds to most, below, say more.`,
    ]);
    expect(unitWarnings(one, "am", 2)).toEqual([]);
  });

  it("is said to be silent as its record has it", () => {
    expect(unitWarnings(made(), "iam", 3)).toEqual([
      "Silent: no image that was tried excites this unit. It has no RS under IAM.",
    ]);
  });
});

it("grows by what is told of its second image, and loses it with the next one that has none", () => {
  const one = made();
  const told: Grown = {
    values: {},
    axes: {},
    silent: false,
    missing: null,
    said: FLAT,
    display: "one position",
    displayResponse: 2,
    exceeders: [],
    ratios: [],
    course: null,
  };
  grow(one, "iam", 0, told);
  expect([eyeImage(one, "iam", 0), isFlat(one, "iam", 0)]).toEqual(["one position", true]);
  expect(one.shown.iam?.displayResponses[0]).toBe(2);
  grow(one, "iam", 0, { ...told, said: null, display: "", displayResponse: null });
  expect([eyeImage(one, "iam", 0), isFlat(one, "iam", 0)]).toEqual(["", false]);
  grow(one, "am", 3, { ...told, display: "another dress" });
  expect(eyeImage(one, "am", 3)).toBe("another dress");
});
