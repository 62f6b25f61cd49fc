import { describe, expect, it, vi } from "vitest";
import { hostedModel } from "../src/page-host/hosted-model";
import { link } from "../src/page-host/trait-links";
import { unpack } from "../src/page-host/unpack-bytes";

describe("a model without a kernel", () => {
  it("tells listeners of a trait when its value changes, until they leave", () => {
    const model = hostedModel({ unit: null, layer: "relu1" });
    const heard = vi.fn();
    model.on("change:unit", heard);
    model.set("unit", 3);
    model.set("unit", 3);
    model.set("layer", "relu2");
    expect(model.get("unit")).toBe(3);
    expect(heard).toHaveBeenCalledTimes(1);
    model.off("change:unit", heard);
    model.set("unit", 4);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it("refuses what only a kernel could answer", () => {
    expect(() => hostedModel({}).send({ kind: "sprite" })).toThrow("no kernel");
  });
});

describe("linked traits", () => {
  const pair = () => [hostedModel({ points: [1, 2] }), hostedModel({ at: [3] })];

  it("agree from the first moment on, and follow one another", () => {
    const [a, b] = pair();
    if (!a || !b) throw new Error("no models");
    link([a, b], { source: [0, "points"], target: [1, "at"], back: true });
    expect(b.get("at")).toEqual([1, 2]);
    b.set("at", [5]);
    expect(a.get("points")).toEqual([5]);
    a.set("points", [6]);
    expect(b.get("at")).toEqual([6]);
  });

  it("follow one way only when asked to", () => {
    const [a, b] = pair();
    if (!a || !b) throw new Error("no models");
    link([a, b], { source: [0, "points"], target: [1, "at"], back: false });
    b.set("at", [9]);
    expect(a.get("points")).toEqual([1, 2]);
  });

  it("can stand in a ring without calling each other forever", () => {
    const models = [hostedModel({ x: [0] }), hostedModel({ x: [1] }), hostedModel({ x: [2] })];
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const)
      link(models, { source: [from, "x"], target: [to, "x"], back: true });
    models[1]?.set("x", [7]);
    expect(models.map((model) => model.get("x"))).toEqual([[7], [7], [7]]);
  });
});

describe("packed state", () => {
  it("has its bytes back as views, wherever they are", () => {
    const state = unpack({ a: [{ $bytes: "AAEC/w==" }, 1, null, "text"], b: { c: { $bytes: "" } } }) as {
      a: [DataView, number, null, string];
      b: { c: DataView };
    };
    expect([...new Uint8Array(state.a[0].buffer)]).toEqual([0, 1, 2, 255]);
    expect(state.a.slice(1)).toEqual([1, null, "text"]);
    expect(state.b.c.byteLength).toBe(0);
  });
});
