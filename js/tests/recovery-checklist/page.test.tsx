import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../../src/recovery-checklist";
import type { FakeModel } from "../fake-model";
import { checklistModel } from "./report";

const drawn = vi.fn();
const closed = vi.fn();

/** Lets promises, Preact's queued renders and the wait before a change is saved run, by a clock of the test's own. */
async function settle(ms = 150): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function show(model: FakeModel) {
  const host = new AbortController();
  const { initialize, render } = widget();
  initialize({ model: model as never, signal: host.signal });
  const el = document.createElement("div");
  document.body.append(el);
  render({ model: model as never, el, signal: host.signal });
  await settle();
  const cells = () => [...el.querySelectorAll<HTMLElement>(".twr-cell")];
  return {
    host,
    el,
    cells,
    text: (selector: string) => el.querySelector(selector)?.textContent ?? "",
    marks: (cell: number) =>
      [...(cells()[cell]?.querySelectorAll(".twr-marks svg") ?? [])].map((svg) =>
        svg.getAttribute("data-mark"),
      ),
    click: async (target: Element | null | undefined) => {
      (target as HTMLElement).click();
      await settle();
    },
    press: async (...keys: string[]) => {
      for (const key of keys) {
        (document.activeElement ?? el).dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
        );
        await settle();
      }
    },
    choose: async (at: number, value: string) => {
      const select = el.querySelectorAll("select")[at] as HTMLSelectElement;
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      await settle();
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"],
  });
  vi.stubGlobal("createImageBitmap", async () => ({ close: closed }));
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({ drawImage: drawn } as never);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

describe("the checklist's page", () => {
  it("is a table of marks, shares and the paper's own", async () => {
    const page = await show(checklistModel());
    expect([...page.el.querySelectorAll("thead th")].map((th) => th.textContent)).toEqual([
      "ICA-3",
      "My_Method-2",
    ]);
    expect([...page.el.querySelectorAll("tbody th")].map((th) => th.textContent)).toEqual([
      "Frequency",
      "Angle",
      "Phase",
      "All three",
    ]);
    expect([...page.el.querySelectorAll(".twr-all .tw-hidden")].map((one) => one.textContent)).toEqual([
      "ICA-3 recovers all three: no; 0 of 2 bank seeds; the paper says yes",
      "My_Method-2 recovers all three: no; 0 of 1 bank seeds",
    ]);
    expect(page.text(".twr-range")).toBe("0–84%");
    expect(page.marks(0)).toEqual(["no", "no"]);
    expect(page.marks(3)).toEqual(["yes", "absent"]);
    expect(page.cells()[2]?.textContent).toContain("1/2");
    expect(page.cells()[3]?.textContent).toContain("not in paper");
    expect(page.cells()[2]?.querySelector(".twr-paper svg")?.getAttribute("data-mark")).toBe("yes");
    expect(page.cells()[2]?.querySelector(".tw-hidden")?.textContent).toContain(
      "in the subspace yes, on the axis no",
    );
  });

  it("has one mark a cell where films are judged by their pictures alone", async () => {
    const model = checklistModel();
    model.state._report = { ...(model.state._report as object), subject: "films" };
    const page = await show(model);
    expect(page.marks(2)).toEqual(["yes"]);
    expect(page.cells()[2]?.querySelector(".tw-hidden")?.textContent).toContain(
      "angle by ICA-3; beyond random axes yes; the",
    );
    expect(page.el.querySelectorAll(".tw-segments")).toHaveLength(0);
    expect(page.el.querySelector(".twr-all")).toBeNull();
    expect(page.text(".twr-legend")).toContain("the furthest of as many random axes of the same subspace");
    await page.click(page.cells()[2]);
    expect(page.text(".twr-title p")).toBe("dimension 1 (they count from 0)");
    expect([...page.el.querySelectorAll(".twr-plot figcaption")].map((one) => one.textContent)).toEqual([
      "Angle along it, as the filters say",
      "The furthest of as many random axes of the subspace",
    ]);
    expect(page.el.textContent).not.toMatch(/permuted|Gabor bank|on the axis/);
  });

  it("opens a cell: film, readout, both nulls, seeds", async () => {
    const model = checklistModel();
    const page = await show(model);
    await page.click(page.cells()[2]);
    expect(model.state.opened).toBe("angle/ica-3");
    expect(page.text(".twr-title h4")).toBe("Angle by ICA-3");
    expect(drawn).toHaveBeenCalledTimes(4);
    expect(page.el.querySelector(".twr-ring")).not.toBeNull();
    expect([...page.el.querySelectorAll(".twr-here")]).toHaveLength(2);
    expect(page.text(".twr-plots")).toContain("observed D = 1.50");
    expect(page.text(".twr-facts")).toContain("p = .030");
    expect(page.text(".twr-seeds")).toContain("1 of 2 bank seeds");
    expect(page.text(".twr-seeds")).toContain("95% interval 1.3% to 99%");
    await page.click(page.cells()[2]);
    expect(model.state.opened).toBe("");
  });

  it("says what is not there, and draws no cross for it", async () => {
    const page = await show(checklistModel({ seed: 8, opened: "angle/My_Method-2" }));
    expect(page.marks(3)).toEqual(["absent", "absent"]);
    expect(page.text(".twr-reason")).toBe("Not there: 2 components | are too many. This is not a no.");
    expect(page.el.querySelector(".twr-plots")).toBeNull();
  });

  it("says that a method without a subspace has no second null", async () => {
    const page = await show(checklistModel({ opened: "phase/My_Method-2" }));
    expect(page.text(".twr-plots")).toContain("My_Method-2 has no linear subspace");
    expect(page.text(".twr-facts")).toContain("no such test here");
    expect(page.text(".twr-nofilm")).toContain("gabor_recovery(films=True)");
  });

  it("leads to the bank seed that has films, and says why a film is not shown", async () => {
    const model = checklistModel({ seed: 8, opened: "angle/ica-3" });
    const page = await show(model);
    expect(page.text(".twr-nofilm")).toContain("bank seed 3 only");
    await page.click(page.el.querySelector(".twr-nofilm button"));
    expect(model.state.seed).toBe(3);
    model.python("bank", "with mean");
    await settle();
    expect(page.text(".twr-nofilm")).toBe("No film: constant direction.");
  });

  it("takes verdicts by key, takes them back, and counts agreement", async () => {
    const model = checklistModel();
    const page = await show(model);
    page.cells()[0]?.focus();
    await page.press("ArrowDown", "y", "ArrowDown", "n", "ArrowRight", "u");
    await settle();
    expect(model.state.verdicts).toEqual({
      "angle/ica-3": "yes",
      "phase/ica-3": "no",
      "phase/My_Method-2": "unsure",
    });
    expect(page.text(".twr-agreement")).toBe(
      "3 of 6 cells judged, 1 unsure; 1 of 2 agree with the marks in the subspace; 1 of 2 agree with those on the axis.",
    );
    expect(page.cells()[2]?.textContent).toContain("you: yes");
    await page.press("u");
    await settle();
    expect(Object.keys(model.state.verdicts as object)).toHaveLength(2);
  });

  it("takes an open cell along with the arrows, and stays within the table", async () => {
    const model = checklistModel();
    const page = await show(model);
    await page.click(page.cells()[0]);
    page.cells()[0]?.focus();
    await page.press("ArrowUp", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowDown");
    await settle();
    expect(model.state.opened).toBe("angle/My_Method-2");
    expect(document.activeElement).toBe(page.cells()[3]);
    await page.press("Escape");
    await settle();
    expect(model.state.opened).toBe("");
  });

  it("keeps a note as text, and its letters are no verdicts", async () => {
    const model = checklistModel({ opened: "angle/ica-3" });
    const page = await show(model);
    const note = page.el.querySelector(".twr-text input") as HTMLInputElement;
    note.focus();
    await page.press("y");
    note.value = "<b>turns</b>";
    note.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    expect([model.state.notes, model.state.verdicts]).toEqual([{ "angle/ica-3": "<b>turns</b>" }, {}]);
    note.value = "";
    note.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    expect(model.state.notes).toEqual({});
  });

  it("judges again at another level, bank and seed", async () => {
    const model = checklistModel();
    const page = await show(model);
    expect(page.el.querySelector(".tw-note")).toBeNull();
    await page.choose(0, "0.02");
    expect(model.state.alpha).toBe(0.02);
    expect(page.marks(2)).toEqual(["no", "no"]);
    await page.choose(1, "8");
    await settle();
    expect(model.state.seed).toBe(8);
    await page.click(page.el.querySelectorAll(".tw-segments button")[1]);
    await settle();
    expect(model.state.bank).toBe("with mean");
    expect(page.text(".tw-note")).toContain("respond to uniform light");
  });

  it("shows p, D and η in the cells when asked", async () => {
    const page = await show(checklistModel());
    expect(page.text(".twr-numbers")).toBe("");
    await page.click(page.el.querySelector(".twr-check input"));
    expect(page.cells()[2]?.querySelector(".twr-numbers")?.textContent).toBe("p .030D 1.50η 0.90");
  });

  it("copies the table, and says so where the browser forbids it", async () => {
    const wrote = vi.fn(async (_: string) => undefined);
    vi.stubGlobal("navigator", { clipboard: { writeText: wrote } });
    const page = await show(checklistModel());
    const copy = page.el.querySelectorAll(".twr-copy button")[0];
    await page.click(copy);
    expect(wrote.mock.calls[0]?.[0]).toContain("| angle | in the subspace | ✓ | ✓ |");
    expect(page.text(".twr-copy [role=status]")).toBe("Copied as Markdown.");
    wrote.mockRejectedValueOnce(new Error("denied") as never);
    await page.click(copy);
    expect(page.text(".twr-copy [role=status]")).toContain("save it instead");
  });

  it("asks the kernel for a film that is not in the page, and says when there is none", async () => {
    const model = checklistModel({ _sprites: [new DataView(new ArrayBuffer(0))], opened: "angle/ica-3" });
    const page = await show(model);
    expect(model.sent.map((message) => message.kind)).toEqual(["sprite"]);
    expect(page.text(".twr-nofilm")).toBe("loading from the kernel…");
    model.reply({ id: model.sent[0]?.id, kind: "error", message: "gone" });
    await settle();
    expect(page.text(".twr-nofilm")).toContain("this film is not in the page; gone");
    await page.click(page.el.querySelector(".twr-nofilm button"));
    model.reply({ id: model.sent[1]?.id, kind: "done" }, [new DataView(new ArrayBuffer(4))]);
    await settle();
    expect(page.el.querySelectorAll(".twr-strip canvas")).toHaveLength(4);
  });

  it("follows Python, and leaves nothing behind", async () => {
    const model = checklistModel();
    const page = await show(model);
    model.python("opened", "phase/ica-3");
    model.python("verdicts", { "phase/ica-3": "unsure" });
    await settle();
    expect(page.text(".twr-title h4")).toBe("Phase by ICA-3");
    expect(page.cells()[4]?.tabIndex).toBe(0);
    expect(page.cells()[4]?.textContent).toContain("unsure");
    page.host.abort();
    await settle();
    expect(page.el.childElementCount).toBe(0);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(model.listeners()).toBe(0);
  });
});
