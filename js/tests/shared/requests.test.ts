import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Requests } from "../../src/shared/requests";
import { FakeModel } from "../fake-model";

function setUp() {
  const model = new FakeModel({});
  const ending = new AbortController();
  return { model, ending, requests: new Requests(model, ending.signal, 1000) };
}

describe("Requests", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("gives the buffers of the reply to its own request", async () => {
    const { model, requests } = setUp();
    const first = requests.ask({ kind: "sprite", dimension: 0 });
    const second = requests.ask({ kind: "sprite", dimension: 1 });
    const [a, b] = [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(2))];
    model.reply({ id: model.sent[1]?.id, kind: "done" }, [b]);
    model.reply({ id: model.sent[0]?.id, kind: "done" }, [a]);
    expect(await first).toEqual([a]);
    expect(await second).toEqual([b]);
    expect(model.sent[0]).toMatchObject({ kind: "sprite", dimension: 0 });
  });

  it("rejects with the kernel's own sentence", async () => {
    const { model, requests } = setUp();
    const asked = requests.ask({ kind: "sprite" });
    model.reply({ id: model.sent[0]?.id, kind: "error", message: "there is no dimension 9" });
    await expect(asked).rejects.toThrow("there is no dimension 9");
  });

  it("says that the kernel is not connected when it stays silent or can't be sent to", async () => {
    const { model, requests } = setUp();
    const silent = expect(requests.ask({ kind: "sprite" })).rejects.toThrow("kernel not connected");
    vi.advanceTimersByTime(1000);
    await silent;
    model.sendFails = true;
    await expect(requests.ask({ kind: "sprite" })).rejects.toThrow("kernel not connected");
  });

  it("ignores messages that are not replies", () => {
    const { model } = setUp();
    for (const message of [null, "text", 3, { kind: "done", id: "of another window" }]) model.reply(message);
  });

  it("leaves nothing behind when it ends", async () => {
    const { model, requests, ending } = setUp();
    const asked = expect(requests.ask({ kind: "sprite" })).rejects.toThrow("closed");
    ending.abort();
    await asked;
    expect(model.listeners()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
