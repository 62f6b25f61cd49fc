// Tuning explorer: a photo, and where each position of the layer's map falls along each dimension.
// In: `_photo`, as Python sends it. Out: coordinates, positions on the photo, and the colors of a heat map.

import { onEnd } from "../shared/lifetime";
import { Observable } from "../shared/observable";
import { decode } from "../shared/sprites";

export interface PhotoFacts {
  image: DataView;
  width: number;
  height: number;
  rows: number;
  columns: number;
  /** The layer's stride in the photo's pixels, down and across. */
  step: [down: number, across: number];
  low: number[];
  high: number[];
  /** Dimension, row, column: a byte between `low` and `high`. */
  places: DataView;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const LEVELS = 255;
/** Okabe and Ito's blue and vermilion: the low and the high end. */
const [LOW, HIGH] = [
  [0, 114, 178],
  [213, 94, 0],
] as const;
const STRONGEST = 215;

export class Photo extends Observable {
  bitmap: ImageBitmap | undefined;
  #ended = false;

  constructor(
    readonly facts: PhotoFacts,
    signal: AbortSignal,
  ) {
    super(signal);
    onEnd(signal, () => {
      this.#ended = true;
      this.bitmap?.close();
    });
    void this.#open();
  }

  async #open(): Promise<void> {
    const bitmap = await decode(this.facts.image);
    if (this.#ended) {
      bitmap.close();
      return;
    }
    this.bitmap = bitmap;
    this.emit();
  }

  coordinate(dimension: number, row: number, column: number): number {
    const { rows, columns, places, low, high } = this.facts;
    const level = places.getUint8((dimension * rows + row) * columns + column) / LEVELS;
    const from = low[dimension] ?? 0;
    return from + level * ((high[dimension] ?? 0) - from);
  }

  /** Where the map lies on the photo, as shares of its width and height: centered, one stride per position. */
  get box(): Box {
    const { width, height, rows, columns, step } = this.facts;
    const [w, h] = [(columns * step[1]) / width, (rows * step[0]) / height];
    return { left: (1 - w) / 2, top: (1 - h) / 2, width: w, height: h };
  }

  /** The position of the map under a point of the photo, given as shares of its width and height. */
  positionAt(x: number, y: number): [row: number, column: number] {
    const { rows, columns } = this.facts;
    const { left, top, width, height } = this.box;
    const place = (share: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return [place((y - top) / height, rows), place((x - left) / width, columns)];
  }

  /** One pixel per position: transparent at `middle`, blue toward the low end and vermilion toward the high one. */
  heat(dimension: number, middle: number, axis: { low: number; high: number }): ImageData {
    const { rows, columns } = this.facts;
    const image = new ImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        image.data.set(
          tint(this.coordinate(dimension, row, column), middle, axis),
          4 * (row * columns + column),
        );
      }
    }
    return image;
  }
}

/** One scale for both sides of the middle, so that equal distances look equally strong. */
export function tint(
  coordinate: number,
  middle: number,
  axis: { low: number; high: number },
): [number, number, number, number] {
  const reach = Math.max(axis.high - middle, middle - axis.low);
  const share = reach > 0 ? Math.min(1, Math.abs(coordinate - middle) / reach) : 0;
  // The square root: most positions lie near the middle, and which side they are on should be visible.
  return [...(coordinate >= middle ? HIGH : LOW), Math.round(STRONGEST * Math.sqrt(share))];
}
