// Shared: the newest of several images that arrive one after another and are decoded concurrently.
// In: encoded bytes. Out: a bitmap, closed as soon as a newer one replaces it.
import { onEnd } from "./lifetime";
import { decode } from "./sprites";

export class NewestImage {
  bitmap: ImageBitmap | undefined;
  #newest = 0;

  constructor(signal: AbortSignal) {
    onEnd(signal, () => this.clear());
  }

  /** Whether it was shown: an image decoded after a newer one is dropped. */
  async show(bytes: DataView): Promise<boolean> {
    const place = ++this.#newest;
    const bitmap = await decode(bytes);
    if (place !== this.#newest) {
      bitmap.close();
      return false;
    }
    this.bitmap?.close();
    this.bitmap = bitmap;
    return true;
  }

  /** Shows no image, and drops those that are still being decoded. */
  clear(): void {
    this.#newest++;
    this.bitmap?.close();
    this.bitmap = undefined;
  }
}
