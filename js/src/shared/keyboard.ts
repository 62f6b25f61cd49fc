// Shared: keys that a whole widget responds to.
// In: key presses anywhere inside a view. Out: named actions; text fields and the host's own shortcuts are left alone.

export type KeyMap = Readonly<Record<string, () => void>>;

const TEXT_INPUTS = new Set(["text", "search", "email", "url", "tel", "password", "number"]);

function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.has(target.type);
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLElement && target.isContentEditable);
}

function actionOf(event: KeyboardEvent, keys: KeyMap): (() => void) | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isTextField(event.target))
    return undefined;
  // A list's arrows and letters choose in it.
  if (isOfList(event)) return undefined;
  // The space bar of a button, a check box or what opens stays its own.
  const presses = event.target instanceof Element && event.target.matches("button, [type=checkbox], summary");
  if (event.key === " " && presses) return undefined;
  // A letter is a letter with Caps Lock on, too.
  return keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

export function listenToKeys(root: HTMLElement, keys: KeyMap, signal: AbortSignal): void {
  claim(root, (event) => actionOf(event, keys) !== undefined || isNative(event), signal);
  root.addEventListener(
    "keydown",
    (event) => {
      const action = actionOf(event, keys);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    },
    { signal },
  );
}

/** Keys that the browser gives to a button, a list or a check box of ours stay theirs: the host hears none of them. */
export function keepNativeKeys(root: HTMLElement, signal: AbortSignal): void {
  claim(root, isNative, signal);
}

const NATIVE = new Set(["Enter", " ", "Home", "End", "PageUp", "PageDown", "Escape"]);

function isNative(event: KeyboardEvent): boolean {
  const { target, key } = event;
  const control = target instanceof Element ? target.closest("button, select, input, summary") : null;
  const plain = !(event.ctrlKey || event.metaKey || event.altKey);
  return plain && control !== null && (NATIVE.has(key) || isOfList(event));
}

function isOfList({ target, key }: KeyboardEvent): boolean {
  return target instanceof HTMLSelectElement && (key.length === 1 || key.startsWith("Arrow"));
}

/** JupyterLab takes keys in the capture phase on document, unless the element carries this attribute. Window hears the
 *  press first: the attribute is there only for the keys that are ours, so that saving or running a cell still works
 *  from inside the widget. */
function claim(root: HTMLElement, isOurs: (event: KeyboardEvent) => boolean, signal: AbortSignal): void {
  const decide = (event: KeyboardEvent) => {
    if (!(event.target instanceof Node) || !root.contains(event.target)) return;
    root.toggleAttribute("data-lm-suppress-shortcuts", isOurs(event));
  };
  window.addEventListener("keydown", decide, { capture: true, signal });
}
