// Recovery checklist: one widget's state in this page, shared by all its views.
// In: the widget model. Out: the synced traits, the actions on them, the cells and the films.

import { type AddressState, fitting, oneOf } from "../shared/address-state";
import { ImagePages } from "../shared/image-pages";
import { birth } from "../shared/latency";
import { type MessageModel, Requests } from "../shared/requests";
import { type TraitModel, Traits } from "../shared/traits";
import { type Curve, curveOf, type Null, nullOf } from "./nulls-and-curves";
import { type Cell, cellsOf, type Entries, type Look, levels, type Report } from "./report";
import type { Judged } from "./table-text";

export interface Synced {
  bank: string;
  readout: string;
  seed: number;
  alpha: number;
  opened: string;
  verdicts: Entries;
  notes: Entries;
}

const KEYS = ["bank", "readout", "seed", "alpha", "opened", "verdicts", "notes"] as const;

/** `entries` with one of them changed; an empty text removes it. */
function entered(entries: Entries, key: string, text: string): Entries {
  const { [key]: _, ...rest } = entries;
  return text ? { ...rest, [key]: text } : rest;
}

export class Checklist {
  readonly report: Report;
  /** Film strips, decoded when their cell is opened. */
  readonly strips: ImagePages;
  readonly #curves: DataView | undefined;
  readonly #nulls: DataView | undefined;
  readonly #traits: Traits<Synced>;
  #cells: { look: string; cells: Cell[] } = { look: "", cells: [] };
  readonly takeBirth = birth();

  constructor(model: TraitModel & MessageModel, signal: AbortSignal) {
    this.report = model.get("_report") as Report;
    this.#curves = model.get("_curves") as DataView | undefined;
    this.#nulls = model.get("_nulls") as DataView | undefined;
    this.#traits = new Traits<Synced>(model, KEYS, signal);
    this.strips = new ImagePages(
      model.get("_sprites") as DataView[],
      new Requests(model, signal),
      "this film",
      signal,
    );
  }

  get state(): Readonly<Synced> {
    return this.#traits.values;
  }

  get look(): Look {
    const { report, state } = this;
    return {
      bank: Math.max(0, report.bank.indexOf(state.bank)),
      readout: Math.max(0, report.readout.indexOf(state.readout)),
      seed: Math.max(0, report.seed.indexOf(state.seed)),
      alpha: state.alpha,
    };
  }

  get cells(): readonly Cell[] {
    const look = JSON.stringify(this.look);
    if (this.#cells.look !== look) this.#cells = { look, cells: cellsOf(this.report, this.look) };
    return this.#cells.cells;
  }

  get judged(): Judged {
    const { report, look, cells, state } = this;
    return { report, look, cells, verdicts: state.verdicts, notes: state.notes };
  }

  cell(key: string): Cell | undefined {
    return this.cells.find((cell) => cell.key === key);
  }

  curve(cell: Cell): Curve {
    return curveOf(this.#curves, this.report, cell.at);
  }

  null(cell: Cell, which: 0 | 1): Null | undefined {
    return nullOf(this.#nulls, cell.at, which);
  }

  subscribe(listener: (changed: Partial<Synced>) => void, signal: AbortSignal): void {
    this.#traits.subscribe(listener, signal);
  }

  choose(patch: Partial<Pick<Synced, "bank" | "readout" | "seed" | "alpha">>): void {
    this.#traits.set(patch);
  }

  /** Takes over the state from an address. */
  visit(asked: AddressState): void {
    const { report, cells, state } = this;
    this.#traits.set(
      fitting<Omit<Synced, "verdicts" | "notes">>(asked, {
        bank: oneOf(report.bank),
        readout: oneOf(report.readout),
        seed: oneOf(report.seed),
        alpha: oneOf([state.alpha, ...levels(report)]),
        opened: oneOf(["", ...cells.map((cell) => cell.key)]),
      }),
    );
  }

  /** Opens a cell, or closes what is open. */
  open(key: string): void {
    this.#traits.set({ opened: key });
  }

  /** Giving the same verdict again takes it back. */
  judge(key: string, verdict: string): void {
    const { verdicts } = this.state;
    this.#traits.set({ verdicts: entered(verdicts, key, verdicts[key] === verdict ? "" : verdict) });
  }

  note(key: string, text: string): void {
    this.#traits.set({ notes: entered(this.state.notes, key, text) });
  }
}
