import { describe, expect, it, vi } from "vitest";
import { type Addressed, read, write } from "../src/page-host/address";
import { Checklist } from "../src/recovery-checklist/checklist";
import type { AddressState } from "../src/shared/address-state";
import { Explorer } from "../src/tuning-explorer/explorer";
import { Scatter } from "../src/unit-scatter/state/scatter";
import { explorerModel, film, photo } from "./fake-model";
import { checklistModel } from "./recovery-checklist/report";
import { scatterModel } from "./unit-scatter/units";

function addressed(name: string, first: AddressState, changed: AddressState = {}): Addressed {
  return { name, first, now: () => ({ ...first, ...changed }) };
}

const SCATTER = { layer: "relu1", unit: null, selected: [], color: "preferred_class" };
const EXPLORER = { points: [0, 0, 0], coordinates: [], playing: false };

describe("an address", () => {
  it("says what is no longer as it was, in words that can be read, and leads back to it", () => {
    const place = { layer: "block 1/relu & more=7", unit: 7, selected: [3, 5], color: null };
    const moved = { points: [31, 0, 5], coordinates: [-1.5, 0, 2], playing: true };
    const widgets = [addressed("scatter", SCATTER, place), addressed("scatter-2", SCATTER)];
    widgets.push(addressed("explorer", EXPLORER, moved));
    const address = write(widgets);
    expect(address).toBe(
      "#scatter.layer=block%201/relu%20%26%20more%3D7&scatter.unit=7&scatter.selected=3,5&scatter.color=" +
        "&explorer.points=31,0,5&explorer.coordinates=-1.5,0,2&explorer.playing=true",
    );
    expect(read(address, widgets)).toEqual([{ ...place, color: "" }, {}, moved]);
    expect(write([addressed("scatter", SCATTER)])).toBe("#");
  });

  it("takes a layer's number for its name, and nothing for no unit and no selection", () => {
    const widgets = [addressed("scatter", { ...SCATTER, unit: 3 })];
    expect(read("#scatter.layer=7&scatter.unit=&scatter.selected=", widgets)).toEqual([
      { layer: "7", unit: null, selected: [] },
    ]);
  });

  it.each(["", "#", "#top", "#scatter", "#scatter.nothing=1", "#other.unit=1", "#scatter.constructor=1"])(
    "that names no widget's trait is none: %s",
    (text) => expect(read(text, [addressed("scatter", SCATTER)])).toBeUndefined(),
  );

  it("that can't be read has no value of any trait", () => {
    const widgets = [addressed("scatter", SCATTER)];
    expect(read("#scatter.layer=%E0%A4%A", widgets)).toEqual([{ layer: undefined }]);
    expect(read("#scatter.selected=1,,2", widgets)).toEqual([{ selected: undefined }]);
  });
});

vi.stubGlobal("createImageBitmap", async () => ({ close: () => undefined }));

const life = new AbortController().signal;

describe("the scatter goes where an address leads", () => {
  const scatter = () => new Scatter(scatterModel() as never, life);

  it("to another layer's unit, with what that layer offers", () => {
    const there = scatter();
    there.visit({ unit: 2, selected: [2, 0, 2] });
    expect(there.state).toMatchObject({ unit: 2, selected: [0, 2] });
    there.visit({ layer: "conv2", unit: 1, color: "", objective: "am" });
    expect(there.state).toMatchObject({
      layer: "conv2",
      unit: 1,
      color: null,
      objective: "am",
      selected: [],
    });
    there.visit({ unit: null });
    expect(there.state.unit).toBeNull();
  });

  it.each([
    { layer: "relu9" },
    { layer: 3 },
    { unit: 4 },
    { unit: -1 },
    { unit: 1.5 },
    { unit: "1" },
    { pinned: 9 },
    { selected: [0, 7] },
    { selected: 1 },
    { x: "nothing" },
    { y: "preferred_class" },
    { color: "rs" },
    { objective: "" },
    { nothing: 1 },
    { unit: undefined },
  ])("and stays where it has no place: %j", (place) => {
    const there = scatter();
    const before = { ...there.state };
    there.visit(place);
    expect(there.state).toEqual(before);
  });
});

describe("the explorer goes where an address leads", () => {
  it("to points of a row, and to a place in its photo", () => {
    const model = explorerModel(film());
    model.state._photo = photo();
    const there = new Explorer(model as never, life);
    there.visit({ dimension: 2, points: [4, 0, 1], position: [1, 2] });
    expect(there.state).toMatchObject({ dimension: 2, points: [4, 0, 1], position: [1, 2] });
    expect(there.point()).toBe(1);
    there.visit({ position: [], playing: true });
    expect(there.state).toMatchObject({ position: [], playing: true });
    there.visit({ labels: ["fur", "", ""], rejected: [false, true, false] });
    expect(there.state).toMatchObject({ labels: ["fur", "", ""], rejected: [false, true, false] });
  });

  it.each([
    { dimension: 3 },
    { points: [0, 0] },
    { points: [0, 0, 5] },
    { points: "000" },
    { playing: 1 },
    { position: [0, 0] },
    { coordinates: [0, 0, 0] },
    { labels: ["a", "b"] },
    { labels: ["a", "b", 3] },
    { labels: ["a", "b", "c".repeat(501)] },
    { rejected: [true, true] },
    { _film: {} },
  ])("and stays where it has no place: %j", (place) => {
    const there = new Explorer(explorerModel() as never, life);
    const before = { ...there.state };
    there.visit(place);
    expect(there.state).toEqual(before);
  });
});

describe("the checklist goes where an address leads", () => {
  it("to a cell of another bank, and away from it", () => {
    const there = new Checklist(checklistModel() as never, life);
    const { key } = there.cells[1] ?? {};
    there.visit({ bank: "with mean", seed: 8, opened: key });
    expect(there.state).toMatchObject({ bank: "with mean", seed: 8, opened: key });
    there.visit({ opened: "" });
    expect(there.state.opened).toBe("");
  });

  it.each([
    { bank: "gone" },
    { seed: 4 },
    { alpha: 0.5 },
    { alpha: "0.05" },
    { opened: "color/ica-3" },
    { verdicts: {} },
  ])("and stays where it has no place: %j", (place) => {
    const there = new Checklist(checklistModel() as never, life);
    const before = { ...there.state };
    there.visit(place);
    expect(there.state).toEqual(before);
  });
});
