// Unit scatter, state: one widget's state in this page, shared by all its views.
// In: the widget model. Out: the synced traits, the actions on them, and the images.

import { type AddressState, below, fitting, isFlag, listOf, oneOf } from "../../shared/address-state";
import type { KernelModel } from "../../shared/kernel";
import { birth } from "../../shared/latency";
import { onEnd } from "../../shared/lifetime";
import { Observable } from "../../shared/observable";
import { type MessageModel, Requests } from "../../shared/requests";
import { type TraitModel, Traits } from "../../shared/traits";
import { axisColumns, colorColumns, firstChoices } from "../data/choices";
import { measuredKind } from "../data/eye-and-measured-image";
import { complete, grow } from "../data/layer-updates";
import { countOf, type Layer, type Units, waitingUnits, waitsFor } from "../data/units";
import { UnitImages } from "../images/unit-images";
import { type News, Rendering, type Subject, type TaskKind } from "./live-rendering";

export interface Synced {
  layer: string;
  objective: string;
  unit: number | null;
  pinned: number | null;
  selected: readonly number[];
  x: string;
  y: string;
  color: string | null;
  /** Whether units' images are shown in the plot. */
  images: boolean;
}

const KEYS = ["layer", "objective", "unit", "pinned", "selected", "x", "y", "color", "images"] as const;

/** Milliseconds between two drawings of a plot while units arrive, and the same for thousands of units. */
const REDRAWN = 250;
const REDRAWN_LARGE = 1500;

export class Scatter extends Observable<[changed: Partial<Synced>]> {
  readonly units: Units;
  readonly images: UnitImages;
  /** Renders units on request; undefined where Python has no network to make images with. */
  readonly rendering: Rendering | undefined;
  /** Counts updates since the page was opened. */
  revision = 0;
  #waiting: { key: string; units: Set<number> } | undefined;
  #redraw: ReturnType<typeof setTimeout> | undefined;
  readonly #traits: Traits<Synced>;
  readonly takeBirth = birth();

  constructor(model: TraitModel & MessageModel & KernelModel, signal: AbortSignal) {
    super(signal);
    this.units = model.get("_units") as Units;
    this.#traits = new Traits<Synced>(model, KEYS, signal);
    this.images = new UnitImages(model.get("_sprites") as DataView[], new Requests(model, signal), signal);
    this.images.prepare(this.layer);
    const { ready } = (model.get("_rendering") ?? {}) as { ready?: boolean };
    if (ready) {
      const take = (news: News, images: readonly DataView[]) => this.#take(news, images);
      const waits = ({ layer, unit }: Subject) => {
        const found = this.#layer(layer);
        return found !== undefined && waitsFor(found, unit).length > 0;
      };
      this.rendering = new Rendering(model, take, waits, signal);
    }
    this.#traits.subscribe((changed) => {
      if (changed.layer !== undefined) this.images.prepare(this.layer);
      if (changed.unit !== undefined || changed.layer !== undefined) this.#render();
    }, signal);
    onEnd(signal, () => clearTimeout(this.#redraw));
    this.#render();
  }

  get state(): Readonly<Synced> {
    return this.#traits.values;
  }

  get layer(): Layer {
    return this.#layer(this.state.layer) ?? (this.units.layers[0] as Layer);
  }

  #layer(name: string): Layer | undefined {
    return this.units.layers.find((one) => one.table.layer === name);
  }

  override subscribe(listener: (changed: Partial<Synced>) => void, signal: AbortSignal): void {
    this.#traits.subscribe(listener, signal);
    super.subscribe(listener, signal);
  }

  /** The units of the current layer with an image that was not made yet. */
  get waiting(): ReadonlySet<number> {
    const key = `${this.revision} ${this.state.layer}`;
    if (this.#waiting?.key !== key) this.#waiting = { key, units: waitingUnits(this.layer) };
    return this.#waiting.units;
  }

  /** Makes the opened unit's image, or continues it. */
  more(unit: number, task: TaskKind): void {
    const { layer, objective } = this.state;
    this.rendering?.want({ layer, unit, objective, task });
  }

  renderAll(): void {
    this.rendering?.wantAll(this.state.layer, this.state.objective, this.waiting.size);
  }

  /** Another layer has other units: nothing stays open, and columns that it lacks are replaced by its first choices. */
  showLayer(name: string): void {
    const next = this.#layer(name);
    if (!next || name === this.state.layer) return;
    const { objective, x, y, color } = this.state;
    const [axes, first] = [axisColumns(next), firstChoices(next)];
    this.#traits.set({
      layer: name,
      objective: next.table.objectives.includes(objective) ? objective : first.objective,
      unit: null,
      pinned: null,
      selected: [],
      x: axes.includes(x) ? x : first.x,
      y: axes.includes(y) ? y : first.y,
      color: color === null || colorColumns(next).includes(color) ? color : first.color,
    });
  }

  /** Takes over the state from an address. Another layer brings its first choices, unless the address names others. */
  visit(asked: AddressState): void {
    if (typeof asked.layer === "string") this.showLayer(asked.layer);
    const { layer } = this;
    const one = below(countOf(layer));
    const fits = fitting<Omit<Synced, "layer" | "selected">>(asked, {
      objective: oneOf(layer.table.objectives),
      unit: (value) => value === null || one(value),
      pinned: (value) => value === null || one(value),
      x: oneOf(axisColumns(layer)),
      y: oneOf(axisColumns(layer)),
      color: oneOf(["", null, ...colorColumns(layer)]),
      images: isFlag,
    });
    // An address has no word for "none": the value is left empty.
    this.#traits.set({ ...fits, ...(fits.color === "" ? { color: null } : {}) });
    if (listOf(one)(asked.selected)) this.select(asked.selected as number[]);
  }

  showObjective(objective: string): void {
    if (this.layer.table.objectives.includes(objective)) this.#traits.set({ objective });
  }

  /** Sets the columns of the axes and colors, and whether images are shown in the plot. */
  bind(columns: Partial<Pick<Synced, "x" | "y" | "color" | "images">>): void {
    this.#traits.set(columns);
  }

  open(unit: number | null): void {
    if (unit !== null && (unit < 0 || unit >= countOf(this.layer))) return;
    // Clicking the opened unit asks again for an image that was stopped.
    if (unit !== null && unit === this.state.unit) this.#render();
    else this.#traits.set({ unit });
  }

  /** Keeps a unit beside those opened next; the pinned unit's own button releases it. */
  togglePin(unit: number): void {
    this.#traits.set({ pinned: this.state.pinned === unit ? null : unit });
  }

  /** Renders the opened unit if it has no image: that is what a click on it asks for. */
  #render(): void {
    const { unit } = this.state;
    if (unit !== null && unit < countOf(this.layer) && waitsFor(this.layer, unit).length > 0)
      this.more(unit, "image");
  }

  #take(news: News, [image, measured]: readonly DataView[]): void {
    const layer = this.#layer(news.layer);
    if (!layer) return;
    if (news.grown) {
      grow(layer, news.objective, news.unit, news.grown);
      if (news.grown.missing === null) {
        if (image) this.images.arrived.put(news.layer, news.objective, news.unit, image);
        if (measured) this.images.arrived.put(news.layer, measuredKind(news.objective), news.unit, measured);
      }
    }
    if (news.whole) complete(layer, news.whole);
    const open = news.layer === this.state.layer && news.unit === this.state.unit;
    const pace = countOf(layer) > 512 ? REDRAWN_LARGE : REDRAWN;
    if (open || news.whole) this.#revise();
    else this.#redraw ??= setTimeout(() => this.#revise(), pace);
  }

  #revise(): void {
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.revision++;
    this.emit({});
  }

  select(units: readonly number[]): void {
    const selected = [...new Set(units)].sort((a, b) => a - b);
    if (JSON.stringify(selected) !== JSON.stringify(this.state.selected)) this.#traits.set({ selected });
  }
}
