import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useChanges } from "../../src/shared/use-changes";
import { TERMS } from "../../src/unit-scatter/data/terms";
import { Scatter } from "../../src/unit-scatter/state/scatter";
import { View } from "../../src/unit-scatter/state/view";
import { Term, Tips } from "../../src/unit-scatter/terms/tips";
import { scatterModel } from "./units";

let ending: AbortController;

beforeEach(() => {
  ending = new AbortController();
});

afterEach(() => {
  ending.abort();
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

function Whole({ view }: { view: View }) {
  useChanges(view.signal, view);
  return (
    <>
      <Term view={view} name="rs">
        RS
      </Term>
      <Tips view={view} />
    </>
  );
}

async function show() {
  const root = document.createElement("div");
  document.body.append(root);
  const view = new View(new Scatter(scatterModel() as never, ending.signal), root, ending.signal);
  render(<Whole view={view} />, root);
  const settle = (ms = 20) => new Promise((done) => setTimeout(done, ms));
  await settle();
  const term = root.querySelector(".tws-term") as HTMLElement;
  const shown = () => root.querySelector(".tws-tip")?.textContent;
  const send = async (target: Element | null, type: string, more: object = {}) => {
    const event = type.startsWith("key") ? new KeyboardEvent(type, more) : new Event(type);
    target?.dispatchEvent(event);
    await settle();
  };
  return { root, term, shown, send, settle };
}

it("says what a term stands for, to eyes and to ears", async () => {
  const { root, term, shown, send, settle } = await show();
  const described = root.querySelector(`#${term.getAttribute("aria-describedby")}`);
  expect(described?.textContent).toBe(TERMS.rs);
  expect(shown()).toBeUndefined();
  await send(term, "mouseenter");
  expect(shown()).toBe(TERMS.rs);
  // The mouse may go into it.
  await send(term, "mouseleave");
  await send(root.querySelector(".tws-tip"), "mouseenter");
  await settle(200);
  expect(shown()).toBe(TERMS.rs);
  await send(root.querySelector(".tws-tip"), "mouseleave");
  await settle(200);
  expect(shown()).toBeUndefined();
});

it("appears on focus and on a tap, and goes with Escape", async () => {
  const { term, shown, send } = await show();
  vi.spyOn(term, "matches").mockReturnValue(true);
  await send(term, "focus");
  expect(shown()).toBe(TERMS.rs);
  await send(term, "keydown", { key: "Escape" });
  expect(shown()).toBeUndefined();
  await send(term, "click");
  expect(shown()).toBe(TERMS.rs);
  await send(term, "blur");
  expect(shown()).toBeUndefined();
});
