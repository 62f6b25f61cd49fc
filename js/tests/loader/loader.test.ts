import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import loader from "../../src/loader/index";

// What stands for a bundle: it counts how often it was run, and marks what it draws in.
const CODE = `
  globalThis.runs = (globalThis.runs ?? 0) + 1;
  export default () => ({
    initialize: ({ model }) => { model.begun = true; return () => { model.begun = false; }; },
    render: ({ model, el }) => { el.textContent = "drawn " + model.get("name"); return () => el.replaceChildren(); },
  });`;

const holders = new Map<string, { code: string; digest: string }>();

function model(name: string, reference: string) {
  const state: Record<string, string> = { name, _code: `IPY_MODEL_${reference}` };
  return {
    begun: false,
    get: (key: string) => state[key],
    widget_manager: {
      get_model: async (id: string) => {
        const held = holders.get(id);
        if (!held) throw new Error("no such model");
        return { get: (key: "code" | "digest") => held[key] };
      },
    },
  } as unknown as AnyModel & { begun: boolean };
}

beforeEach(() => {
  // Node imports no blobs.
  vi.spyOn(URL, "createObjectURL").mockImplementation(
    () => `data:text/javascript,${encodeURIComponent(CODE)}`,
  );
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
});

afterEach(() => vi.restoreAllMocks());

test("widgets of several kernels share the code that is the same, and it runs once", async () => {
  holders.set("of one kernel", { code: CODE, digest: "d" });
  holders.set("of another", { code: CODE, digest: "d" });
  const drawn = await Promise.all(
    ["of one kernel", "of one kernel", "of another"].map(async (reference, k) => {
      const of = model(`w${k}`, reference);
      const page = loader();
      const end = await page.initialize({ model: of });
      expect(of.begun).toBe(true);
      const el = document.createElement("div");
      await page.render({ model: of, el });
      end();
      expect(of.begun).toBe(false);
      return el.textContent;
    }),
  );
  expect(drawn).toEqual(["drawn w0", "drawn w1", "drawn w2"]);
  expect((globalThis as { runs?: number }).runs).toBe(1);
});

test("a host that renders without having initialized gets its view", async () => {
  holders.set("held", { code: CODE, digest: "d" });
  const el = document.createElement("div");
  const end = await loader().render({ model: model("alone", "held"), el });
  expect(el.textContent).toBe("drawn alone");
  end();
  expect(el.textContent).toBe("");
});

test("code that is not in the notebook is said", async () => {
  const page = loader();
  await expect(page.initialize({ model: model("lost", "nowhere") })).rejects.toThrow("run its cell again");
});
