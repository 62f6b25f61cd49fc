// Exported page: its address as text.
// In: the widgets by their names on the page. Out: an address such as "#scatter.layer=relu3&scatter.unit=7", and back.
import type { AddressState } from "../shared/address-state";

/** A widget with an address: the traits that a reader may change, as they were at first and as they are now. */
export interface Addressed {
  name: string;
  first: AddressState;
  now(): AddressState;
}

/** The address of everything that differs from its first value. */
export function write(widgets: readonly Addressed[]): string {
  const said = widgets.flatMap(({ name, first, now }) =>
    Object.entries(now())
      .filter(([trait, value]) => JSON.stringify(value) !== JSON.stringify(first[trait]))
      .map(([trait, value]) => `${name}.${trait}=${written(value)}`),
  );
  return `#${said.join("&")}`;
}

/** The values in an address, widget by widget; undefined where it names none of the widgets. */
export function read(address: string, widgets: readonly Addressed[]): AddressState[] | undefined {
  const states = widgets.map((): Record<string, unknown> => ({}));
  let found = false;
  for (const part of address.replace(/^#/, "").split("&")) {
    const [, name, trait, text] = /^([\w-]+)\.(\w+)=(.*)$/.exec(part) ?? [];
    const at = widgets.findIndex((widget) => widget.name === name);
    const first = widgets[at]?.first;
    const state = states[at];
    if (!first || !state || trait === undefined || !Object.hasOwn(first, trait)) continue;
    state[trait] = value(text ?? "", first[trait]);
    found = true;
  }
  return found ? states : undefined;
}

function written(value: unknown): string {
  if (value === null) return "";
  const plain = Array.isArray(value) && value.every((item) => typeof item === "number");
  const text = typeof value === "string" ? value : plain ? value.join(",") : JSON.stringify(value);
  // Characters that an address may hold unescaped stay readable.
  return encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%2F", "/");
}

/** Text as a value of the type that the trait had at first; undefined where it can't be parsed. */
function value(text: string, first: unknown): unknown {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    return undefined;
  }
  if (typeof first === "string") return plain;
  if (Array.isArray(first)) return parsed(plain.startsWith("[") ? plain : `[${plain}]`);
  // Empty stands for null, such as no unit; a word stays a word where the first value was null.
  return plain === "" ? null : (parsed(plain) ?? plain);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
