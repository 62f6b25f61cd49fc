import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Traits } from "../../src/shared/traits";
import { FakeModel } from "../fake-model";

interface Values {
  point: number;
  label: string;
}

function setUp() {
  const model = new FakeModel({ point: 0, label: "" });
  const ending = new AbortController();
  const traits = new Traits<Values>(model, ["point", "label"], ending.signal, 100);
  return { model, ending, traits };
}

describe("Traits", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("tells every listener of this page at once", () => {
    const { traits, ending } = setUp();
    const heard: unknown[] = [];
    traits.subscribe((changed, origin) => heard.push([changed, origin]), ending.signal);
    traits.set({ point: 3 });
    expect(heard).toEqual([[{ point: 3 }, "page"]]);
    expect(traits.values.point).toBe(3);
  });

  it("saves the first change at once, then at most one an interval, and always the last", () => {
    const { traits, model } = setUp();
    for (let point = 1; point <= 50; point++) {
      traits.set({ point });
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(1000);
    expect(model.saved[0]).toEqual({ point: 1 });
    expect(model.saved.at(-1)).toEqual({ point: 50 });
    expect(model.saved.length).toBeLessThanOrEqual(7);
  });

  it("saves nothing when nothing changes", () => {
    const { traits, model } = setUp();
    traits.set({ point: 0 });
    vi.advanceTimersByTime(1000);
    expect(model.saved).toEqual([]);
  });

  it("follows Python, and does not send Python's own value back", () => {
    const { traits, model, ending } = setUp();
    const heard: unknown[] = [];
    traits.subscribe((changed, origin) => heard.push([changed, origin]), ending.signal);
    model.python("point", 7);
    vi.advanceTimersByTime(1000);
    expect(heard).toEqual([[{ point: 7 }, "kernel"]]);
    expect(model.saved).toEqual([]);
  });

  it("drops a value that still waits when Python sets the same trait: the last writer wins on both sides", () => {
    const { traits, model } = setUp();
    traits.set({ point: 1 });
    traits.set({ point: 2, label: "mine" });
    model.python("point", 9);
    vi.advanceTimersByTime(1000);
    expect(traits.values).toEqual({ point: 9, label: "mine" });
    expect(model.state).toMatchObject({ point: 9, label: "mine" });
    expect(model.saved).toEqual([{ point: 1 }, { label: "mine" }]);
  });

  it("saves what waits when it ends, and leaves no listener behind", () => {
    const { traits, model, ending } = setUp();
    traits.set({ point: 1 });
    traits.set({ point: 2 });
    ending.abort();
    expect(model.saved.at(-1)).toEqual({ point: 2 });
    expect(model.listeners()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
