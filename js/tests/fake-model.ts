// A widget model as the host gives it, with the other side in the test's hands.
import type { Film } from "../src/tuning-explorer/film";

type Callback = (...args: never[]) => void;

export class FakeModel {
  state: Record<string, unknown>;
  saved: Record<string, unknown>[] = [];
  sent: { id: string; kind: string; dimension?: number }[] = [];
  sendFails = false;
  #unsaved: Record<string, unknown> = {};
  #callbacks = new Map<string, Set<Callback>>();

  constructor(state: Record<string, unknown>) {
    this.state = { ...state };
  }

  // biome-ignore lint/suspicious/noExplicitAny: the host's own type
  get(key: string): any {
    return this.state[key];
  }

  set(key: string, value: unknown): void {
    this.state[key] = value;
    this.#unsaved[key] = value;
    this.emit(`change:${key}`);
  }

  save_changes(): void {
    this.saved.push(this.#unsaved);
    this.#unsaved = {};
  }

  send(content: unknown): void {
    if (this.sendFails) throw new Error("no comm");
    this.sent.push(content as (typeof this.sent)[number]);
  }

  on(event: string, callback: Callback): void {
    if (!this.#callbacks.has(event)) this.#callbacks.set(event, new Set());
    this.#callbacks.get(event)?.add(callback);
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  /** Python sets a trait. */
  python(key: string, value: unknown): void {
    this.state[key] = value;
    this.emit(`change:${key}`);
  }

  /** Python answers a request. */
  reply(message: unknown, buffers: DataView[] = []): void {
    this.emit("msg:custom", message, buffers);
  }

  listeners(): number {
    return [...this.#callbacks.values()].reduce((sum, set) => sum + set.size, 0);
  }

  /** The host tells of something. */
  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(...(args as never[]));
  }
}

export function film(dimensions = 3, points = 5, failed: Record<number, string> = {}): Film {
  const coordinates = Array.from({ length: points }, (_, at) => (at - (points - 1) / 2) ** 3);
  return {
    model: "gabor_bank",
    layer: "relu",
    method: "ICA",
    sampling: "arc",
    warnings: [],
    points,
    unitCount: 12,
    cells: { width: 8, height: 8, columns: 3 },
    patches: null,
    dimensions: Array.from({ length: dimensions }, (_, index) => ({
      index,
      suggestion: index === 1 ? "orange/blue, p = .035" : "",
      status: failed[index] ?? "",
      share: 0.5 ** (index + 1),
      readability: null,
      coordinate: coordinates,
      quantile: coordinates.map((_, at) => at / points),
      cosine: coordinates.map(() => 0.9),
      histogram: [1, 4, 2],
      edges: [-8, -2, 2, 8],
      units: coordinates.map((_, at) => [at, at + 1]),
      weights: coordinates.map(() => [0.8, 0.4]),
      patchCoordinate: [],
      stability: null,
      effects: null,
    })),
  };
}

export function explorerModel(shown: Film = film(), missing: number[] = []): FakeModel {
  return new FakeModel({
    _film: shown,
    _sprites: shown.dimensions.map((_, at) => new DataView(new ArrayBuffer(missing.includes(at) ? 0 : 4))),
    dimension: 0,
    points: shown.dimensions.map(() => 2),
    labels: shown.dimensions.map(() => ""),
    rejected: shown.dimensions.map(() => false),
    playing: false,
    position: [],
    _patches: [],
    _photo: {},
    coordinates: [],
    unit: null,
    _combine: {},
    _kept: [],
  });
}

/** A photo of 40 × 20 px whose map of 2 × 3 positions holds the bytes 0, 51, 102, … a dimension. */
export function photo(dimensions = 3) {
  const places = new Uint8Array(6 * dimensions).map((_, at) => (at % 6) * 51);
  return {
    image: new DataView(new ArrayBuffer(4)),
    width: 40,
    height: 20,
    rows: 2,
    columns: 3,
    step: [8, 8] as [number, number],
    low: Array(dimensions).fill(-8),
    high: Array(dimensions).fill(8),
    places: new DataView(places.buffer),
  };
}
