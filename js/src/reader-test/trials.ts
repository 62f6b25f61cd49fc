// Reader test: one widget's state in this page, shared by all its views.
// In: the widget model. Out: the trial that waits, the answers and what becomes of them, and the results once they are asked for.
import { type AddressState, fitting, isFlag, listOf, oneOf } from "../shared/address-state";
import { birth } from "../shared/latency";
import type { Cells } from "../shared/sprites";
import { type TraitModel, Traits } from "../shared/traits";
import { exactInterval } from "./exact-interval";
import { type Hidden, reveal } from "./hidden";

/** What Python sends once (`_test`). */
export interface TestFacts {
  model: string;
  layer: string;
  of: "dimension" | "unit";
  /** By what a copied line is known to be about these trials. */
  key: string;
  /** For each trial its question, from 0. */
  question: number[];
  /** What dimensions or units are called, by their number. */
  names: Record<string, string>;
  patch: Cells;
  reference: Cells;
  hidden: string;
}

interface Synced {
  answers: readonly number[];
  finished: boolean;
  reader: string;
}

export interface Rate {
  name: string;
  right: number;
  asked: number;
  low: number;
  high: number;
}

export interface Results {
  /** Of each dimension or unit that was asked about. */
  own: Rate[];
  /** Of all of them, and of all random axes. */
  all: Rate;
  random: Rate;
  /** The trials that were missed, with what they were about. */
  missed: { trial: number; right: number; name: string }[];
}

export const RANDOM = "random axes";
export type Side = 0 | 1;

export class Trials {
  readonly facts: TestFacts;
  readonly patches: DataView[];
  readonly references: DataView[];
  readonly takeBirth = birth();
  readonly #traits: Traits<Synced>;
  #hidden: Hidden | undefined;

  constructor(model: TraitModel, signal: AbortSignal) {
    this.facts = model.get("_test") as TestFacts;
    this.patches = model.get("_patches") as DataView[];
    this.references = model.get("_references") as DataView[];
    this.#traits = new Traits<Synced>(model, ["answers", "finished", "reader"], signal);
  }

  get state(): Readonly<Synced> {
    return this.#traits.values;
  }

  get count(): number {
    return this.facts.question.length;
  }

  /** The trial that waits for an answer; as many as there are trials once all have one. */
  get waiting(): number {
    const at = this.state.answers.findIndex((answer) => answer < 0);
    return at < 0 ? this.count : at;
  }

  get done(): boolean {
    return this.state.finished || this.waiting === this.count;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#traits.subscribe(listener, signal);
  }

  visit(asked: AddressState): void {
    this.#traits.set(
      fitting<Synced>(asked, {
        answers: listOf(oneOf([-1, 0, 1]), this.count),
        finished: isFlag,
        reader: (value) => typeof value === "string",
      }),
    );
  }

  answer(side: Side): void {
    if (this.done) return;
    const { waiting } = this;
    this.#traits.set({ answers: this.state.answers.map((was, at) => (at === waiting ? side : was)) });
    if (this.waiting === this.count) this.#traits.set({ finished: true });
  }

  /** Takes the last answer back, from the results too where all were given. */
  undo(): void {
    const last = this.waiting - 1;
    if (last < 0 || (this.state.finished && this.waiting < this.count)) return;
    this.#traits.set({
      answers: this.state.answers.map((was, at) => (at === last ? -1 : was)),
      finished: false,
    });
  }

  stop(): void {
    if (this.waiting > 0) this.#traits.set({ finished: true });
  }

  goOn(): void {
    if (this.waiting < this.count) this.#traits.set({ finished: false });
  }

  rename(reader: string): void {
    this.#traits.set({ reader });
  }

  /** The answers as one line, which Python's `take` reads. */
  line(): string {
    const { answers, reader } = this.state;
    const letters = answers.map((answer) => (answer < 0 ? "-" : answer === 0 ? "L" : "R")).join("");
    return JSON.stringify({
      "tunewidgets-answers": { trials: this.facts.key, reader, answers: letters },
    });
  }

  /** Right answers by what was asked about; a trial without a right side counts for neither. */
  results(): Results {
    this.#hidden ??= reveal(this.facts.hidden, this.facts.key);
    const { answers: truth, about } = this.#hidden;
    const counts = new Map<number, [right: number, asked: number]>();
    const missed: Results["missed"] = [];
    this.state.answers.forEach((answer, trial) => {
      const right = truth[trial] ?? -1;
      if (answer < 0 || right < 0) return;
      const axis = about[this.facts.question[trial] ?? 0] ?? -1;
      const [good, asked] = counts.get(axis) ?? [0, 0];
      counts.set(axis, [good + Number(answer === right), asked + 1]);
      if (answer !== right) missed.push({ trial, right, name: this.#name(axis) });
    });
    const own = [...counts].filter(([axis]) => axis >= 0).sort(([a], [b]) => a - b);
    const sum = (which: 0 | 1) => own.reduce((total, [, count]) => total + count[which], 0);
    return {
      own: own.map(([axis, count]) => rate(this.#name(axis), count)),
      all: rate(`all ${this.facts.of}s`, [sum(0), sum(1)]),
      random: rate(RANDOM, counts.get(-1) ?? [0, 0]),
      missed,
    };
  }

  #name(axis: number): string {
    return axis < 0 ? RANDOM : (this.facts.names[axis] ?? `${this.facts.of} ${axis}`);
  }
}

function rate(name: string, [right, asked]: readonly [right: number, asked: number]): Rate {
  const [low, high] = exactInterval(right, asked);
  return { name, right, asked, low, high };
}
