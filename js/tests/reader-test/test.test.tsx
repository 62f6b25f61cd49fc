import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../../src/reader-test";
import { atLeast, exactInterval } from "../../src/reader-test/exact-interval";
import { reveal } from "../../src/reader-test/hidden";
import { FakeModel } from "../fake-model";

const KEY = "0123456789ab";
const HIDDEN = { answers: [0, 1, 1, 0, -1, 1], about: [3, 7, -1] };

/** As tunewidgets/widgets/trial_page.py scrambles. */
function scrambled(text: string): string {
  let state = Number.parseInt(KEY.slice(0, 8), 16);
  const masked = [...new TextEncoder().encode(text)].map((byte) => {
    state = Number((1664525n * BigInt(state) + 1013904223n) % 2n ** 32n);
    return String.fromCharCode(byte ^ (state >>> 24));
  });
  return btoa(masked.join(""));
}

function model(): FakeModel {
  const bytes = () => new DataView(new ArrayBuffer(4));
  return new FakeModel({
    _test: {
      model: "net",
      layer: "relu",
      of: "dimension",
      key: KEY,
      question: [0, 1, 2, 0, 1, 2],
      names: { 3: "<b>fur</b>", 7: "dimension 7" },
      patch: { width: 8, height: 8, columns: 2 },
      reference: { width: 4, height: 4, columns: 3 },
      hidden: scrambled(JSON.stringify(HIDDEN)),
    },
    _patches: Array.from({ length: 6 }, bytes),
    _references: Array.from({ length: 3 }, bytes),
    answers: [-1, -1, -1, -1, -1, -1],
    finished: false,
    reader: "ann",
  });
}

const drawn = vi.fn();

async function settle(ms = 150): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function show(shown: FakeModel) {
  const host = new AbortController();
  const { initialize, render, visit } = widget();
  initialize({ model: shown as never, signal: host.signal });
  const el = document.createElement("div");
  document.body.append(el);
  render({ model: shown as never, el, signal: host.signal });
  await settle();
  return {
    host,
    el,
    visit,
    text: (selector: string) => el.querySelector(selector)?.textContent ?? "",
    press: async (...keys: string[]) => {
      for (const key of keys) {
        el.firstElementChild?.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
        );
        await settle();
      }
    },
    click: async (name: string) => {
      [...el.querySelectorAll("button")].find((one) => one.textContent === name)?.click();
      await settle();
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"],
  });
  vi.stubGlobal("createImageBitmap", async () => ({}));
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({ drawImage: drawn } as never);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
  vi.useRealTimers();
});

describe("the reader's test", () => {
  it("asks one trial after the other, and shows no score before the end", async () => {
    const shown = model();
    const page = await show(shown);
    expect(page.el.querySelector(".twq-trial")?.getAttribute("aria-label")).toBe("Trial 1 of 6");
    // Three references at either end, and two patches.
    expect(page.el.querySelectorAll("canvas")).toHaveLength(8);
    await page.press("ArrowLeft", "ArrowRight");
    expect(shown.state.answers).toEqual([0, 1, -1, -1, -1, -1]);
    expect(page.el.querySelector(".twq-trial")?.getAttribute("aria-label")).toBe("Trial 3 of 6");
    expect(page.el.textContent).not.toMatch(/fur|right in|random/);
    expect(page.el.innerHTML).not.toContain("fur");
  });

  it("takes answers back, by key and by button", async () => {
    const shown = model();
    const page = await show(shown);
    await page.press("ArrowLeft", "ArrowRight", "u");
    expect(shown.state.answers).toEqual([0, -1, -1, -1, -1, -1]);
    await page.click("Undo");
    await page.press("u");
    expect(shown.state.answers).toEqual([-1, -1, -1, -1, -1, -1]);
  });

  it("says at the end what was right, with exact intervals; a tie is never wrong", async () => {
    const shown = model();
    const page = await show(shown);
    await page.press("ArrowLeft", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight");
    expect(shown.state.finished).toBe(true);
    const rows = [...page.el.querySelectorAll(".twq-rates tbody tr, .twq-rates tfoot tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows.map(([name, right]) => [name, right])).toEqual([
      ["<b>fur</b>", "1 of 2"],
      ["dimension 7", "1 of 1"],
      ["all dimensions", "2 of 3"],
      ["random axes", "1 of 2"],
    ]);
    expect(rows[2]?.slice(2)).toEqual(["0.67", "0.09 to 0.99"]);
    const missed = [...page.el.querySelectorAll(".twq-missed .tw-quiet")].map((one) => one.textContent);
    expect(missed).toEqual(["3: random axes", "4: <b>fur</b>"]);
    expect(page.el.querySelector(".twq-missed li:last-child .twq-further canvas")).toBe(
      page.el.querySelectorAll(".twq-missed li:last-child canvas")[0],
    );
  });

  it("stops at any time and goes on where it stopped", async () => {
    const shown = model();
    const page = await show(shown);
    await page.press("Escape");
    expect(shown.state.finished).toBe(false);
    await page.press("ArrowLeft", "Escape");
    expect(page.text(".twq-rates tfoot tr")).toContain("1 of 1");
    // Once a score was seen, what was answered stays answered.
    await page.press("u", "ArrowRight");
    expect(shown.state.answers).toEqual([0, -1, -1, -1, -1, -1]);
    await page.click("Go on");
    expect(page.el.querySelector(".twq-trial")?.getAttribute("aria-label")).toBe("Trial 2 of 6");
  });

  it("gives its answers as one line, under the reader's name", async () => {
    const shown = model();
    const page = await show(shown);
    await page.press("ArrowLeft", "ArrowRight", "Escape");
    const line = page.el.querySelector<HTMLInputElement>(".twq-line")?.value ?? "";
    expect(JSON.parse(line)).toEqual({
      "tunewidgets-answers": { trials: KEY, reader: "ann", answers: "LR----" },
    });
  });

  it("takes its state from an address, unless it makes no sense", async () => {
    const shown = model();
    const page = await show(shown);
    page.visit({ answers: [0, 1, 2, 0, 0, 0], finished: "yes" });
    expect(shown.state.answers).toEqual([-1, -1, -1, -1, -1, -1]);
    page.visit({ answers: [0, 1, -1, -1, -1, -1], reader: "bo" });
    await settle();
    expect(page.el.querySelector(".twq-trial")?.getAttribute("aria-label")).toBe("Trial 3 of 6");
    expect(shown.state.reader).toBe("bo");
  });
});

describe("what is hidden", () => {
  it("can be read with its key, and is not there to be seen", () => {
    const text = scrambled(JSON.stringify(HIDDEN));
    expect(reveal(text, KEY)).toEqual(HIDDEN);
    expect(atob(text)).not.toContain("answers");
  });
});

describe("an exact interval", () => {
  it.each([
    [20, 20, 0.832, 1],
    [0, 10, 0, 0.308],
    [13, 20, 0.408, 0.846],
    [60, 60, 0.94, 1],
  ])("of %i of %i is Clopper and Pearson's", (right, asked, low, high) => {
    const found = exactInterval(right, asked);
    expect(found[0]).toBeCloseTo(low, 3);
    expect(found[1]).toBeCloseTo(high, 3);
  });

  it("has a half of the tail on either side", () => {
    const [low, high] = exactInterval(7, 12);
    expect(atLeast(7, 12, low)).toBeCloseTo(0.025, 8);
    expect(1 - atLeast(8, 12, high)).toBeCloseTo(0.025, 8);
  });
});
