// Loader: what every widget carries instead of its page's code, which a kernel sends once and all its widgets share.
// In: a model whose `_code` refers to the model that holds the code. Out: `initialize` and `render`, those of the code.
import type { AnyModel } from "@anywidget/types";

interface Props {
  model: AnyModel;
  signal?: AbortSignal;
}

interface Page {
  initialize(props: Props): () => void;
  render(props: Props & { el: HTMLElement }): () => void;
}

const REFERENCE = "IPY_MODEL_";

/** By the code's digest: several kernels and notebooks may stand in one page. */
const loaded = new Map<string, Promise<() => Page>>();

async function begin(model: AnyModel): Promise<Page> {
  const reference: string = model.get("_code");
  const holder = await model.widget_manager
    .get_model(reference.slice(REFERENCE.length))
    .catch((cause: unknown) => {
      throw new Error("this widget's code is not in the notebook; run its cell again", { cause });
    });
  const digest: string = holder.get("digest");
  let page = loaded.get(digest);
  if (!page) {
    page = imported(holder.get("code"));
    loaded.set(digest, page);
  }
  return (await page)();
}

async function imported(code: string): Promise<() => Page> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return (await import(/* @vite-ignore */ url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}

export default () => {
  let page: Promise<Page> | undefined;
  return {
    async initialize(props: Props) {
      page = begin(props.model);
      return (await page).initialize(props);
    },
    async render(props: Props & { el: HTMLElement }) {
      // Some hosts render without having initialized.
      page ??= begin(props.model);
      return (await page).render(props);
    },
  };
};
