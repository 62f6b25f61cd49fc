// The scatter: one widget's state in this page, shared by all its views.
// In: the widget model. Out: the synced traits, what may be done to them, and the images.
import { type MessageModel, Requests } from "../shared/requests";
import { type TraitModel, Traits } from "../shared/traits";
import { axesOf, colorsOf, firstChoices } from "./choices";
import { Sheets } from "./sheets";
import { countOf, type Layer, type Units } from "./units";

export interface Synced {
  layer: string;
  objective: string;
  unit: number | null;
  pinned: number | null;
  selected: readonly number[];
  x: string;
  y: string;
  color: string | null;
}

const KEYS = ["layer", "objective", "unit", "pinned", "selected", "x", "y", "color"] as const;

export class Scatter {
  readonly units: Units;
  readonly sheets: Sheets;
  readonly #traits: Traits<Synced>;
  #born: number | undefined = performance.now();

  constructor(model: TraitModel & MessageModel, signal: AbortSignal) {
    this.units = model.get("_units") as Units;
    this.#traits = new Traits<Synced>(model, KEYS, signal);
    this.sheets = new Sheets(model.get("_sprites") as DataView[], new Requests(model, signal), signal);
    this.sheets.prepare(this.layer);
    this.#traits.subscribe((changed) => {
      if (changed.layer !== undefined) this.sheets.prepare(this.layer);
    }, signal);
  }

  get state(): Readonly<Synced> {
    return this.#traits.values;
  }

  get layer(): Layer {
    const { layers } = this.units;
    return layers.find((one) => one.table.layer === this.state.layer) ?? (layers[0] as Layer);
  }

  /** When the state arrived: the first view counts its first paint from there. */
  takeBirth(): number | undefined {
    const born = this.#born;
    this.#born = undefined;
    return born;
  }

  subscribe(listener: (changed: Partial<Synced>) => void, signal: AbortSignal): void {
    this.#traits.subscribe(listener, signal);
  }

  /** Another layer has other units: nothing stays open, and columns that it lacks give way to its first ones. */
  showLayer(name: string): void {
    const next = this.units.layers.find((one) => one.table.layer === name);
    if (!next || name === this.state.layer) return;
    const { objective, x, y, color } = this.state;
    const [axes, first] = [axesOf(next), firstChoices(next)];
    this.#traits.set({
      layer: name,
      objective: next.table.objectives.includes(objective) ? objective : first.objective,
      unit: null,
      pinned: null,
      selected: [],
      x: axes.includes(x) ? x : first.x,
      y: axes.includes(y) ? y : first.y,
      color: color === null || colorsOf(next).includes(color) ? color : first.color,
    });
  }

  showObjective(objective: string): void {
    if (this.layer.table.objectives.includes(objective)) this.#traits.set({ objective });
  }

  /** Which columns are on the axes and in the colors. */
  bind(columns: Partial<Pick<Synced, "x" | "y" | "color">>): void {
    this.#traits.set(columns);
  }

  open(unit: number | null): void {
    if (unit === null || (unit >= 0 && unit < countOf(this.layer))) this.#traits.set({ unit });
  }

  /** Keeps the opened unit beside those opened next; the pinned one's own button lets it go. */
  togglePin(unit: number): void {
    this.#traits.set({ pinned: this.state.pinned === unit ? null : unit });
  }

  select(units: readonly number[]): void {
    const selected = [...new Set(units)].sort((a, b) => a - b);
    if (JSON.stringify(selected) !== JSON.stringify(this.state.selected)) this.#traits.set({ selected });
  }
}
