// The explorer's entry: what anywidget calls. One Explorer a widget, one Preact tree a view.
import type { AnyModel } from "@anywidget/types";
import { render as draw } from "preact";
import { listenToKeys } from "../shared/keyboard";
import { lifetime, onEnd } from "../shared/lifetime";
import { followTheme } from "../shared/theme";
import { Explorer } from "./explorer";
import { Page } from "./page";
import { View } from "./view";
import "./style.css";

interface Props {
  model: AnyModel;
  signal?: AbortSignal;
}

export default () => {
  let explorer: Explorer | undefined;

  function initialize({ model, signal }: Props): () => void {
    const life = lifetime(signal);
    explorer = new Explorer(model, life.signal);
    return life.end;
  }

  function render({ model, el, signal }: Props & { el: HTMLElement }): () => void {
    const life = lifetime(signal);
    // Some hosts render without having initialized: the state then lives as long as its first view.
    explorer ??= new Explorer(model, life.signal);
    const root = document.createElement("div");
    root.className = "tw tw-explorer";
    el.append(root);
    const view = new View(explorer, root, life.signal);
    followTheme(root, life.signal);
    listenToKeys(root, view.keys, life.signal);
    explorer.attend(life.signal);
    draw(<Page view={view} />, root);
    onEnd(life.signal, () => {
      draw(null, root);
      root.remove();
    });
    return life.end;
  }

  return { initialize, render };
};
