import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listenToKeys } from "../../src/shared/keyboard";

describe("listenToKeys", () => {
  let ending: AbortController;
  let root: HTMLElement;
  const right = vi.fn();
  const space = vi.fn();

  beforeEach(() => {
    ending = new AbortController();
    root = document.createElement("div");
    root.innerHTML = `<input type="range"><input type="text"><button>Play</button><select></select>`;
    document.body.append(root);
    listenToKeys(root, { ArrowRight: right, " ": space, l: right }, ending.signal);
  });
  afterEach(() => {
    ending.abort();
    root.remove();
    vi.clearAllMocks();
  });

  function press(selector: string, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    root.querySelector(selector)?.dispatchEvent(event);
    return event;
  }

  it("acts on its keys and keeps the slider from acting too", () => {
    expect(press("input[type=range]", "ArrowRight").defaultPrevented).toBe(true);
    expect(right).toHaveBeenCalledOnce();
  });

  it("takes a letter with Caps Lock on, and leaves it alone with Shift", () => {
    press("input[type=range]", "L");
    expect(right).toHaveBeenCalledOnce();
    press("input[type=range]", "L", { shiftKey: true });
    expect(right).toHaveBeenCalledOnce();
  });

  it("leaves text fields, other keys and combinations alone", () => {
    press("input[type=text]", "ArrowRight");
    press("input[type=range]", "ArrowRight", { ctrlKey: true });
    expect(press("input[type=range]", "a").defaultPrevented).toBe(false);
    expect(right).not.toHaveBeenCalled();
  });

  it("leaves a button its own space bar", () => {
    expect(press("button", " ").defaultPrevented).toBe(false);
    press("input[type=range]", " ");
    expect(space).toHaveBeenCalledOnce();
  });

  it("leaves a list its arrows", () => {
    expect(press("select", "ArrowRight").defaultPrevented).toBe(false);
    expect(right).not.toHaveBeenCalled();
  });

  it("hides only its own keys from JupyterLab's shortcuts", () => {
    press("input[type=range]", "ArrowRight");
    expect(root.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
    press("input[type=range]", "s", { ctrlKey: true });
    expect(root.hasAttribute("data-lm-suppress-shortcuts")).toBe(false);
  });

  it("is deaf once it ended", () => {
    ending.abort();
    press("input[type=range]", "ArrowRight");
    expect(right).not.toHaveBeenCalled();
  });
});
