import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hostedModel } from "../../src/page-host/hosted-model";
import { GONE, Kernel, PATIENCE } from "../../src/shared/kernel";
import { LiveRequests, SILENCE } from "../../src/shared/live-request";
import { FakeModel } from "../fake-model";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A host's kernel connection, its status in the test's hands. */
function connection(status = "idle") {
  const slots = new Set<() => void>();
  const fake = {
    status,
    statusChanged: {
      connect: (slot: () => void) => slots.add(slot),
      disconnect: (slot: () => void) => slots.delete(slot),
    },
    become(next: string) {
      fake.status = next;
      for (const slot of slots) slot();
    },
    slots,
  };
  return fake;
}

function setup(host?: ReturnType<typeof connection> | null) {
  const model = new FakeModel({}) as FakeModel & { widget_manager?: unknown };
  if (host !== undefined) model.widget_manager = { kernel: host };
  const end = new AbortController();
  const kernel = new Kernel(model, end.signal);
  const requests = new LiveRequests(model, kernel, end.signal);
  const listener = () => ({ partial: vi.fn(), done: vi.fn(), failed: vi.fn(), stopped: vi.fn() });
  const told = (at: number, kind: string, more = {}) =>
    model.reply({ id: model.sent[at]?.id, kind, ...more });
  return { model, end, kernel, requests, listener, told };
}

describe("live requests", () => {
  it("tell of a request until it is done", () => {
    const { requests, listener, told, model } = setup();
    const one = listener();
    requests.start({ kind: "image", at: 1 }, one);
    expect(model.sent[0]).toMatchObject({ kind: "image", at: 1 });
    told(0, "progress");
    told(0, "partial", { step: 1 });
    told(0, "done");
    told(0, "partial", { step: 2 });
    expect(one.partial).toHaveBeenCalledTimes(1);
    expect(one.done).toHaveBeenCalledTimes(1);
  });

  it("keep only the newest back while the kernel has not answered", () => {
    const { requests, listener, told, model } = setup();
    const [first, second, third] = [listener(), listener(), listener()];
    requests.start({ kind: "image", at: 1 }, first);
    requests.start({ kind: "image", at: 2 }, second);
    requests.start({ kind: "image", at: 3 }, third);
    expect(model.sent).toHaveLength(1);
    told(0, "progress");
    expect(model.sent.slice(1)).toMatchObject([{ at: 3 }]);
    told(0, "partial");
    told(1, "partial");
    expect(first.partial).not.toHaveBeenCalled();
    expect(second.partial).not.toHaveBeenCalled();
    expect(third.partial).toHaveBeenCalledTimes(1);
  });

  it("follow the request under way that asks the same", () => {
    const { requests, listener, told, model } = setup();
    const one = listener();
    requests.start({ kind: "image" }, one);
    told(0, "progress", { same: "another window's" });
    model.reply({ id: "another window's", kind: "partial" });
    model.reply({ id: "another window's", kind: "done" });
    expect(one.partial).toHaveBeenCalledTimes(1);
    expect(one.done).toHaveBeenCalledTimes(1);
  });

  it("say when they fail, with details, and when another one took their place", () => {
    const { requests, listener, told } = setup();
    const [one, other] = [listener(), listener()];
    requests.start({ kind: "image" }, one);
    told(0, "error", { message: "no", details: "Traceback" });
    expect(one.failed).toHaveBeenCalledWith({ message: "no", details: "Traceback" });
    requests.start({ kind: "image" }, other);
    told(1, "canceled");
    expect(other.stopped).toHaveBeenCalledTimes(1);
  });

  it("are canceled by their id, and heard of no more", () => {
    const { requests, listener, told, model } = setup();
    const one = listener();
    requests.start({ kind: "image" }, one);
    requests.cancel();
    requests.cancel();
    expect(model.sent.map(({ kind }) => kind)).toEqual(["image", "cancel"]);
    expect(model.sent[1]?.id).toBe(model.sent[0]?.id);
    told(0, "partial");
    expect(one.partial).not.toHaveBeenCalled();
  });

  it("end with what they belong to", () => {
    const host = connection();
    const { end, model, requests, listener } = setup(host);
    requests.start({ kind: "image" }, listener());
    end.abort();
    expect(model.listeners()).toBe(0);
    expect(host.slots.size).toBe(0);
    expect(model.sent.at(-1)?.kind).toBe("cancel");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the kernel's state", () => {
  it("is busy while a running cell holds messages back, and connected once it answers", () => {
    const { kernel, requests, listener, told } = setup(connection("busy"));
    expect(kernel.state).toBe("connected");
    requests.start({ kind: "image" }, listener());
    vi.advanceTimersByTime(SILENCE);
    expect(kernel.state).toBe("busy");
    vi.advanceTimersByTime(10 * PATIENCE);
    expect(kernel.state).toBe("busy");
    told(0, "progress");
    expect(kernel.state).toBe("connected");
  });

  it.each([
    ["idle", connection("idle")],
    ["not to be seen", undefined],
  ])("is gone where a kernel that is %s does not answer, and the request fails", (_, host) => {
    const { kernel, requests, listener } = setup(host);
    const one = listener();
    requests.start({ kind: "image" }, one);
    vi.advanceTimersByTime(PATIENCE);
    expect(kernel.state).toBe("gone");
    expect(one.failed).toHaveBeenCalledWith({ message: GONE, details: "" });
  });

  it.each(["restarting", "autorestarting", "dead"])("is gone for good when the kernel is %s", (status) => {
    const host = connection("busy");
    const { kernel, requests, listener, told } = setup(host);
    const one = listener();
    requests.start({ kind: "image" }, one);
    told(0, "progress");
    host.become(status);
    expect(one.failed).toHaveBeenCalledTimes(1);
    host.become("idle");
    expect(kernel.state).toBe("gone");
    // Nothing that is asked from now on waits for an answer.
    requests.start({ kind: "image" }, one);
    expect(one.failed).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is gone in an exported page", () => {
    expect(new Kernel(hostedModel({}), new AbortController().signal).state).toBe("gone");
  });

  it("is gone where there is no kernel, no line, or a line that was cut", () => {
    expect(setup(null).kernel.state).toBe("gone");
    const cut = setup();
    cut.model.reply({});
    cut.model.emit("comm_live_update");
    expect(cut.kernel.state).toBe("gone");
    const none = setup();
    none.model.sendFails = true;
    const [one, other] = [none.listener(), none.listener()];
    none.requests.start({ kind: "image" }, one);
    expect(none.kernel.state).toBe("gone");
    none.requests.start({ kind: "image" }, other);
    for (const each of [one, other]) expect(each.failed).toHaveBeenCalledTimes(1);
  });
});
