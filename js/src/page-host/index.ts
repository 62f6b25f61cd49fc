// The exported page: a host for the widgets on it, where there is no kernel.
// In: the page's data, and the widgets' code, which stands in the page before this. Out: live widgets in their places.
import { hostedModel } from "./hosted-model";
import { type LinkFacts, link } from "./links";
import { unpack } from "./packed";
import "./style.css";

interface Widget {
  initialize?: (props: object) => unknown;
  render: (props: object) => unknown;
}

interface PageData {
  widgets: { code: string; state: Record<string, unknown> }[];
  links: LinkFacts[];
}

declare global {
  var tunewidgets: Record<string, () => Widget>;
}

const { signal } = new AbortController();
const data = JSON.parse(document.getElementById("tw-data")?.textContent ?? "") as PageData;
const models = data.widgets.map(({ state }) => hostedModel(unpack(state) as Record<string, unknown>));
for (const facts of data.links) link(models, facts);
data.widgets.forEach(({ code }, at) => {
  const widget = globalThis.tunewidgets[code]?.();
  if (!widget) throw new Error(`this page lacks the code of ${code}`);
  const model = models[at];
  widget.initialize?.({ model, signal });
  // A widget may stand at several places: views of one state.
  for (const el of document.querySelectorAll(`[data-widget="${at}"]`)) widget.render({ model, el, signal });
});
