// The exported page: its address says where each widget stands, and what an address says is where they go.
// In: the widgets by their names on the page. Out: an address such as "#scatter.layer=relu3&scatter.unit=7", and back.
import type { AddressState } from "../shared/address-state";

/** A widget with an address: what a reader may change in it, as it was first and as it is now. */
export interface Addressed {
  name: string;
  first: AddressState;
  now(): AddressState;
}

/** What is no longer as it was first. */
export function write(widgets: readonly Addressed[]): string {
  const said = widgets.flatMap(({ name, first, now }) =>
    Object.entries(now())
      .filter(([trait, value]) => JSON.stringify(value) !== JSON.stringify(first[trait]))
      .map(([trait, value]) => `${name}.${trait}=${written(value)}`),
  );
  return `#${said.join("&")}`;
}

/** What an address names, widget by widget; undefined where it names none of them. */
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
  // What an address may hold as it is, so that it can be read.
  return encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%2F", "/");
}

/** Text as a value of the kind that the trait had first; what can't be read is no value of any trait. */
function value(text: string, first: unknown): unknown {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    return undefined;
  }
  if (typeof first === "string") return plain;
  if (Array.isArray(first)) return parsed(plain.startsWith("[") ? plain : `[${plain}]`);
  // Empty stands for nothing, such as no unit; a word where nothing was first is a word.
  return plain === "" ? null : (parsed(plain) ?? plain);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
