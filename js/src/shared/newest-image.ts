// Shared room: the newest of images that come one after the other and are decoded side by side.
// In: encoded bytes. Out: a bitmap, closed as soon as a newer one takes its place.
import { onEnd } from "./lifetime";
import { decode } from "./sprites";

export class NewestImage {
  bitmap: ImageBitmap | undefined;
  #newest = 0;

  constructor(signal: AbortSignal) {
    onEnd(signal, () => this.clear());
  }

  /** Whether it is shown: one that is decoded after a newer one is not any more. */
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

  /** No image, and none of those on their way. */
  clear(): void {
    this.#newest++;
    this.bitmap?.close();
    this.bitmap = undefined;
  }
}
