// Exported page: the host of its widgets, where there is no kernel.
// In: the page's data, and the widgets' code, which comes earlier in the page. Out: working widgets in their places.
import type { AddressState } from "../shared/address-state";
import { followAddress } from "./address-bar";
import { hostedModel } from "./hosted-model";
import { type LinkFacts, link } from "./trait-links";
import { unpack } from "./unpack-bytes";
import "./style.css";

interface Widget {
  initialize: (props: object) => unknown;
  render: (props: object) => unknown;
  visit: (asked: AddressState) => void;
}

interface PageData {
  /** `name`: what addresses call it. `place` and `kept`: the traits that an address holds: where a reader is, and what
   * they wrote. */
  widgets: { code: string; name: string; place: string[]; kept: string[]; state: Record<string, unknown> }[];
  links: LinkFacts[];
}

declare global {
  var tunewidgets: Record<string, () => Widget>;
}

const { signal } = new AbortController();
const data = JSON.parse(document.getElementById("tw-data")?.textContent ?? "") as PageData;
const models = data.widgets.map(({ state }) => hostedModel(unpack(state) as Record<string, unknown>));
for (const facts of data.links) link(models, facts);
const addressed = data.widgets.map(({ code, name, place, kept }, at) => {
  const widget = globalThis.tunewidgets[code]?.();
  const model = models[at];
  if (!widget || !model) throw new Error(`this page lacks the code of ${code}`);
  widget.initialize({ model, signal });
  // A widget may appear several times on the page: views of one state.
  const elements = [...document.querySelectorAll(`[data-widget="${at}"]`)];
  for (const el of elements) widget.render({ model, el, signal });
  const now = () => Object.fromEntries([...place, ...kept].map((trait) => [trait, model.get(trait)]));
  return { name, model, elements, first: now(), kept, now, visit: widget.visit };
});
followAddress(addressed, signal);
