// Exported page: traits that follow one another, as with ipywidgets' `jslink` and `jsdlink`.
// In: which widget's trait follows which. Out: one value on both ends, from the first moment on.
import type { HostedModel } from "./hosted-model";

/** Ends are `[widget, trait]`; `back`: whether the source follows the target too. */
export interface LinkFacts {
  source: [number, string];
  target: [number, string];
  back: boolean;
}

export function link(models: readonly HostedModel[], { source, target, back }: LinkFacts): void {
  follow(models, target, source);
  if (back) follow(models, source, target);
}

function follow(models: readonly HostedModel[], follower: [number, string], leader: [number, string]): void {
  const from = models[leader[0]];
  const to = models[follower[0]];
  if (!from || !to) return;
  // Lists are new objects with every change: compared by content, two ends can't call each other forever.
  const copy = () => {
    const value = from.get(leader[1]);
    if (JSON.stringify(value) !== JSON.stringify(to.get(follower[1]))) to.set(follower[1], value);
  };
  from.on(`change:${leader[1]}`, copy);
  copy();
}
