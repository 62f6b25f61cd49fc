// Reader test: what must not be seen at a glance (tunewidgets/widgets/trial_page.py scrambles it).
// In: the scrambled text and its key. Out: which sides are right, and what the questions are about.

export interface Hidden {
  /** For each trial the side that lies further, -1 for neither. */
  answers: number[];
  /** For each question the dimension or unit, -1 for a random axis. */
  about: number[];
}

export function reveal(scrambled: string, key: string): Hidden {
  let state = Number.parseInt(key.slice(0, 8), 16);
  const bytes = Uint8Array.from(atob(scrambled), (letter) => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return letter.charCodeAt(0) ^ (state >>> 24);
  });
  return JSON.parse(new TextDecoder().decode(bytes)) as Hidden;
}
