// Unit scatter, data: what the short names stand for, each in a sentence or two.
// In: a term. Out: its explanation, in plain text.

export const TERMS = {
  am: "AM, activation maximization: the image that makes this unit respond as strongly as possible, whatever the layer’s other units do.",
  iam: "IAM, independent activation maximization: the image that makes this unit respond strongly while the layer’s other units do not. It shows what is the unit’s own.",
  rs: "RS, representative substitution: the share of the layer’s units that respond more strongly than this one to the image made for it. At 0 no other does; the higher it is, the easier the unit is to replace.",
  substitutes:
    "Respond alike: how many other units respond to the layer’s images in nearly the same pattern (cosine above 0.9), so that each could stand in for this one.",
  selectivity:
    "Class selectivity: the unit’s mean response to its preferred class against that to all others, (m − r) / (m + r). 0: it tells no class apart; 1: it responds to one class alone.",
  accuracy_drop:
    "Accuracy drop: how much of the network’s accuracy is lost when this unit is silenced, with its standard error.",
  worst_class:
    "Worst class: the class whose accuracy drops most when this unit is silenced, and the drop’s standard error.",
} as const;

export type TermName = keyof typeof TERMS;

export function isTerm(name: string): name is TermName {
  return Object.hasOwn(TERMS, name);
}
