// Tuning explorer: combined images that are in the record, or that the reader added to it.
// In: `_kept`, as Python sends it. Out: decoded images with their coordinates.

import { onEnd } from "../shared/lifetime";
import { Observable } from "../shared/observable";
import { decode } from "../shared/sprites";
import type { TraitModel } from "../shared/traits";
import { coordinatesKey } from "./combination";

export interface Kept {
  coordinates: number[];
  cosine: number | null;
  bitmap: ImageBitmap | undefined;
}

interface Sent {
  coordinates: number[];
  cosine: number | null;
  image: DataView;
}

export class KeptImages extends Observable {
  list: readonly Kept[] = [];
  #ended = false;

  constructor(model: TraitModel, signal: AbortSignal) {
    super(signal);
    const adopt = () => this.#adopt((model.get("_kept") as Sent[] | undefined) ?? []);
    model.on("change:_kept", adopt);
    onEnd(signal, () => {
      model.off("change:_kept", adopt);
      this.#ended = true;
      for (const { bitmap } of this.list) bitmap?.close();
    });
    adopt();
  }

  at(coordinates: readonly number[]): Kept | undefined {
    return this.list.find((kept) => coordinatesKey(kept.coordinates) === coordinatesKey(coordinates));
  }

  #adopt(sent: readonly Sent[]): void {
    const before = new Map(this.list.map((kept) => [coordinatesKey(kept.coordinates), kept]));
    this.list = sent.map(({ coordinates, cosine, image }) => {
      const known = before.get(coordinatesKey(coordinates));
      if (known) return known;
      const kept: Kept = { coordinates, cosine, bitmap: undefined };
      void this.#open(kept, image);
      return kept;
    });
    this.emit();
  }

  async #open(kept: Kept, image: DataView): Promise<void> {
    const bitmap = await decode(image);
    if (this.#ended) bitmap.close();
    else kept.bitmap = bitmap;
    this.emit();
  }
}
