// Tuning explorer: one widget's state in this page, shared by all its views.
// In: the widget model. Out: the synced traits, the actions on them, and the images.

import { type AddressState, below, fitting, isFlag, isNumber, isText, listOf } from "../shared/address-state";
import { Kernel, type KernelModel } from "../shared/kernel";
import { birth } from "../shared/latency";
import { onEnd } from "../shared/lifetime";
import { type MessageModel, Requests } from "../shared/requests";
import { type Origin, type TraitModel, Traits } from "../shared/traits";
import { Combination } from "./combination";
import { DimensionImages } from "./dimension-images";
import { clamp, dimensionName, type Film, nearestIndex, suggestionOf } from "./film";
import { axisOf } from "./histogram-geometry";
import { KeptImages } from "./kept-images";
import { Photo, type PhotoFacts } from "./photo";
import { begin, next, type Trip } from "./play-trip";
import { PAUSE, randomStep } from "./random-walk";
import { coordinateAt, rounded, sliderPosition } from "./slider-scale";

export interface Synced {
  dimension: number;
  points: readonly number[];
  labels: readonly string[];
  /** The rows whose suggested label the reader rejected. */
  rejected: readonly boolean[];
  playing: boolean;
  /** Row and column of the layer's map, marked in the photo; empty for none. */
  position: readonly number[];
  /** The coordinates of all sliders together, one per row; empty while they move one at a time. */
  coordinates: readonly number[];
  /** The unit picked among those that weigh most, or by what is linked. */
  unit: number | null;
}

export const STEP = 120;
/** For readers who asked for less motion, and for a window that follows another one as it plays. */
export const CALM_STEP = 400;
export const FOLLOWER_WAIT = 700;

export class Explorer {
  readonly film: Film;
  readonly images: DimensionImages;
  /** Real patches; undefined where the record has none. */
  readonly patches: DimensionImages | undefined;
  /** The photo whose positions are shown along the dimensions, if there is one. */
  readonly photo: Photo | undefined;
  /** All sliders together; undefined where Python has no network to make images for that. */
  readonly combination: Combination | undefined;
  readonly kept: KeptImages;
  walking = false;
  readonly #requests: Requests;
  #walk: ReturnType<typeof setTimeout> | undefined;
  readonly #traits: Traits<Synced>;
  #trip: Trip | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #views = 0;
  #calm: boolean;
  readonly takeBirth = birth();

  constructor(model: TraitModel & MessageModel & KernelModel, signal: AbortSignal) {
    this.film = model.get("_film") as Film;
    this.#traits = new Traits<Synced>(
      model,
      ["dimension", "points", "labels", "rejected", "playing", "position", "coordinates", "unit"],
      signal,
    );
    const statuses = this.film.dimensions.map((dimension) => dimension.status);
    const requests = new Requests(model, signal);
    this.#requests = requests;
    const { dimension } = this.state;
    const sprites = model.get("_sprites") as DataView[];
    this.images = new DimensionImages(sprites, statuses, requests, dimension, signal);
    if (this.film.patches) {
      const patches = model.get("_patches") as DataView[];
      this.patches = new DimensionImages(patches, statuses, requests, dimension, signal, "patches");
    }
    const photo = model.get("_photo") as PhotoFacts | Record<string, never>;
    if ("image" in photo) this.photo = new Photo(photo as PhotoFacts, signal);
    this.kept = new KeptImages(model, signal);
    const { home } = (model.get("_combine") ?? {}) as { home?: number[] };
    if (home) {
      this.combination = new Combination(home, model, new Kernel(model, signal), signal);
      this.combination.subscribe(() => this.#walkOn(), signal);
      if (this.combining) this.combination.want(this.state.coordinates);
    }
    this.#calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#traits.subscribe((changed, origin) => this.#react(changed, origin), signal);
    onEnd(signal, () => {
      clearTimeout(this.#timer);
      clearTimeout(this.#walk);
    });
  }

  get state(): Readonly<Synced> {
    return this.#traits.values;
  }

  /** The point at which a dimension's slider is. */
  point(dimension = this.state.dimension): number {
    return clamp(this.state.points[dimension] ?? 0, 0, this.film.points - 1);
  }

  get combining(): boolean {
    return this.combination !== undefined && this.state.coordinates.length === this.film.dimensions.length;
  }

  /** A slider's position, counted in points; between two of them if all sliders move together. */
  place(dimension: number): number {
    if (!this.combining) return this.point(dimension);
    return sliderPosition(this.#line(dimension), this.state.coordinates[dimension] ?? 0);
  }

  /** The film's point nearest to a slider's position. */
  nearestPoint(dimension: number): number {
    return Math.round(this.place(dimension));
  }

  shown(dimension = this.state.dimension): boolean {
    return this.film.dimensions[dimension]?.status === "";
  }

  /** The reader's label, otherwise the suggestion unless it was rejected, otherwise the dimension's number. */
  title(at = this.state.dimension): string {
    const dimension = this.film.dimensions[at];
    if (!dimension) return "";
    const suggestion = this.state.rejected[at] ? "" : suggestionOf(dimension).name;
    return this.state.labels[at]?.trim() || suggestion || dimensionName(dimension);
  }

  /** Whether a suggestion awaits the reader's decision. */
  waits(at = this.state.dimension): boolean {
    const { labels, rejected } = this.state;
    return (this.film.dimensions[at]?.suggestion ?? "") !== "" && !labels[at]?.trim() && !rejected[at];
  }

  subscribe(listener: (changed: Partial<Synced>) => void, signal: AbortSignal): void {
    this.#traits.subscribe(listener, signal);
  }

  /** A view is open. Nothing plays while none is. */
  attend(signal: AbortSignal): void {
    this.#views++;
    onEnd(signal, () => {
      this.#views--;
      this.#schedule();
    });
    this.#schedule();
  }

  select(dimension: number): void {
    this.#traits.set({ dimension: clamp(dimension, 0, this.film.dimensions.length - 1) });
    this.images.prefer(this.state.dimension);
    this.patches?.prefer(this.state.dimension);
  }

  /** Takes over the state from an address. */
  visit(asked: AddressState): void {
    const { film, photo, combination } = this;
    const rows = film.dimensions.length;
    const [down, across] = [below(photo?.facts.rows ?? 0), below(photo?.facts.columns ?? 0)];
    const nowhere = listOf(isNumber, 0);
    const together = listOf(isNumber, combination ? rows : 0);
    const one = below(film.unitCount);
    const fits = fitting<Synced>(asked, {
      dimension: below(rows),
      points: listOf(below(film.points), rows),
      playing: isFlag,
      position: (value) =>
        nowhere(value) ||
        (listOf(isNumber, 2)(value) && down((value as number[])[0]) && across((value as number[])[1])),
      coordinates: (value) => nowhere(value) || together(value),
      unit: (value) => value === null || one(value),
      labels: listOf(isText, rows),
      rejected: listOf(isFlag, rows),
    });
    this.#traits.set(fits);
    if (fits.dimension !== undefined) this.select(fits.dimension);
  }

  /** The reader moves a slider: that ends playing. */
  move(dimension: number, point: number): void {
    this.select(dimension);
    if (this.combining) {
      const to = coordinateAt(this.#line(dimension), point);
      if (this.shown(dimension))
        this.goTo(this.state.coordinates.map((was, at) => (at === dimension ? to : was)));
    } else if (this.shown(dimension))
      this.#traits.set({ points: this.#with(dimension, point), playing: false });
  }

  /** The reader points at a position in the photo: every slider moves to the nearest point. */
  lookAt(row: number, column: number): void {
    const { photo } = this;
    if (!photo) return;
    const place = [clamp(row, 0, photo.facts.rows - 1), clamp(column, 0, photo.facts.columns - 1)];
    if (this.combining) {
      this.#traits.set({ position: place });
      this.goTo(this.film.dimensions.map((_, at) => photo.coordinate(at, place[0] ?? 0, place[1] ?? 0)));
      return;
    }
    const points = this.film.dimensions.map((dimension, at) =>
      dimension.status
        ? this.point(at)
        : nearestIndex(dimension.coordinate, photo.coordinate(at, place[0] ?? 0, place[1] ?? 0)),
    );
    this.#traits.set({ position: place, points, playing: false });
  }

  /** The marked position's coordinate along a dimension; undefined if none is marked. */
  marked(dimension: number): number | undefined {
    const [row, column] = this.state.position;
    if (row === undefined || column === undefined) return undefined;
    return this.photo?.coordinate(dimension, row, column);
  }

  step(by: number): void {
    const here = this.combining ? this.nearestPoint(this.state.dimension) : this.point();
    this.move(this.state.dimension, here + by);
  }

  /** Switches to all sliders together, starting from the image that is shown, or back to one at a time. */
  combine(together: boolean): void {
    if (!together) this.#set([]);
    else if (!this.combining) this.goToFilm(this.state.dimension, this.point());
  }

  /** Moves all sliders to these coordinates. The reader asked for it, which ends a walk. */
  goTo(coordinates: readonly number[]): void {
    this.walking = false;
    this.#set(coordinates);
  }

  /** Moves all sliders to the coordinates of one of the film's own images. */
  goToFilm(dimension: number, point: number): void {
    const to = this.#line(dimension)[point] ?? 0;
    this.goTo((this.combination?.home ?? []).map((held, at) => (at === dimension ? to : held)));
  }

  toggleWalk(): void {
    this.walking = !this.walking;
    if (this.walking) this.#randomStep();
    else this.stop();
  }

  stop(): void {
    this.walking = false;
    this.combination?.stop();
  }

  /** Asks again for the image that was stopped or failed. */
  again(): void {
    this.combination?.want(this.state.coordinates);
  }

  /** Adds the finished image to the record. */
  keep(): void {
    const { coordinates } = this.state;
    this.#requests
      .ask({ kind: "keep", coordinates })
      .catch((error: Error) => this.combination?.complain(error.message));
  }

  relabel(dimension: number, text: string): void {
    const labels = this.film.dimensions.map((_, at) =>
      at === dimension ? text : (this.state.labels[at] ?? ""),
    );
    this.#traits.set({ labels });
  }

  /** Picks a unit, or drops the one that is picked. */
  pick(unit: number): void {
    this.#traits.set({ unit: this.state.unit === unit ? null : unit });
  }

  /** Accepts the suggestion as the label or rejects it; either way it is settled. */
  decide(at: number, accepted: boolean): void {
    const dimension = this.film.dimensions[at];
    if (!dimension || !this.waits(at)) return;
    if (accepted) this.relabel(at, suggestionOf(dimension).name);
    else
      this.#traits.set({
        rejected: this.film.dimensions.map((_, i) => i === at || !!this.state.rejected[i]),
      });
  }

  togglePlaying(): void {
    if (this.combining) this.toggleWalk();
    else this.#traits.set({ playing: !this.state.playing && this.shown() });
  }

  /** The points with one of them moved; the identical list where nothing moves. */
  #with(dimension: number, point: number): readonly number[] {
    const to = clamp(point, 0, this.film.points - 1);
    if (to === this.state.points[dimension]) return this.state.points;
    return this.film.dimensions.map((_, at) => (at === dimension ? to : this.point(at)));
  }

  #set(coordinates: readonly number[]): void {
    this.#traits.set({ coordinates: coordinates.map(rounded), playing: false });
  }

  #line(dimension: number): readonly (number | null)[] {
    return this.film.dimensions[dimension]?.coordinate ?? [];
  }

  /** A walk goes on once its image is finished and was shown for a moment, and ends where there is none. */
  #walkOn(): void {
    clearTimeout(this.#walk);
    if (!this.walking) return;
    const { stage } = this.combination ?? {};
    if (stage === "failed" || stage === "stopped" || this.#views === 0) this.walking = false;
    if (stage === "done" && this.walking) this.#walk = setTimeout(() => this.#randomStep(), PAUSE);
  }

  #randomStep(): void {
    const ranges = this.film.dimensions.map((dimension) => axisOf(dimension));
    if (this.walking && this.combining) this.#set(randomStep(this.state.coordinates, ranges));
  }

  #react(changed: Partial<Synced>, origin: Origin): void {
    if (changed.coordinates !== undefined) {
      if (this.combining) this.combination?.want(this.state.coordinates);
      else {
        this.walking = false;
        this.combination?.leave();
      }
    }
    if (changed.playing !== undefined || changed.dimension !== undefined) {
      this.#trip = undefined;
      this.#schedule();
    } else if (changed.points && origin === "kernel" && this.state.playing) {
      // Someone else moves the slider, perhaps another window that is playing: it sets the pace.
      this.#trip = this.#trip && { ...this.#trip, at: this.point() };
      this.#schedule(FOLLOWER_WAIT);
    }
  }

  #schedule(wait = this.#calm ? CALM_STEP : STEP): void {
    clearTimeout(this.#timer);
    if (this.state.playing && this.#views > 0) this.#timer = setTimeout(() => this.#playOn(), wait);
  }

  #playOn(): void {
    const { dimension } = this.state;
    this.#trip = this.shown() ? next(this.#trip ?? begin(this.point()), this.film.points) : undefined;
    if (this.#trip) {
      this.#traits.set({ points: this.#with(dimension, this.#trip.at) });
      this.#schedule();
    } else {
      this.#traits.set({ playing: false });
    }
  }
}
