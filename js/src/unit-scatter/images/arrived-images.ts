// Unit scatter, images: images that arrived one by one after the page was opened.
// In: their bytes, all of which are kept. Out: bitmaps, of which only the most recently viewed are kept.
import { decode } from "../../shared/sprites";

interface Arrived {
  bytes: DataView;
  bitmap: ImageBitmap | undefined;
}

const DECODED = 256;

export class ArrivedImages {
  #images = new Map<string, Arrived>();
  #decoded: Arrived[] = [];
  #tell: () => void;
  #ended = false;

  constructor(tell: () => void) {
    this.#tell = tell;
  }

  has(layer: string, objective: string, unit: number): boolean {
    return this.#images.has(keyOf(layer, objective, unit));
  }

  /** Stores an image's bytes, in place of an older version. */
  put(layer: string, objective: string, unit: number, bytes: DataView): void {
    const key = keyOf(layer, objective, unit);
    const before = this.#images.get(key);
    if (before) this.#release(before);
    this.#images.set(key, { bytes, bitmap: undefined });
  }

  /** The decoded image; undefined while it is being decoded. */
  of(layer: string, objective: string, unit: number): ImageBitmap | undefined {
    const own = this.#images.get(keyOf(layer, objective, unit));
    if (!own) return undefined;
    const at = this.#decoded.indexOf(own);
    if (at < 0) void this.#open(own);
    else if (this.#decoded.length === DECODED) this.#decoded.push(...this.#decoded.splice(at, 1));
    return own.bitmap;
  }

  end(): void {
    this.#ended = true;
    for (const own of [...this.#decoded]) this.#release(own);
    this.#images.clear();
  }

  async #open(own: Arrived): Promise<void> {
    this.#decoded.push(own);
    const bitmap = await decode(own.bytes);
    if (this.#ended || !this.#decoded.includes(own)) {
      bitmap.close();
      return;
    }
    own.bitmap = bitmap;
    const [oldest] = this.#decoded;
    if (oldest && this.#decoded.length > DECODED) this.#release(oldest);
    this.#tell();
  }

  #release(own: Arrived): void {
    own.bitmap?.close();
    own.bitmap = undefined;
    this.#decoded = this.#decoded.filter((one) => one !== own);
  }
}

function keyOf(layer: string, objective: string, unit: number): string {
  return `${objective} ${unit} ${layer}`;
}
