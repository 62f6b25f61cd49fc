// The checklist's entry: what anywidget calls. One Checklist a widget, one Preact tree a view.
import type { AnyModel } from "@anywidget/types";
import { render as draw } from "preact";
import { keepNativeKeys } from "../shared/keyboard";
import { lifetime, onEnd } from "../shared/lifetime";
import { followTheme } from "../shared/theme";
import { Checklist } from "./checklist";
import { Page } from "./page";
import { View } from "./view";
import "./style.css";

interface Props {
  model: AnyModel;
  signal?: AbortSignal;
}

export default () => {
  let checklist: Checklist | undefined;

  function initialize({ model, signal }: Props): () => void {
    const life = lifetime(signal);
    checklist = new Checklist(model, life.signal);
    return life.end;
  }

  function render({ model, el, signal }: Props & { el: HTMLElement }): () => void {
    const life = lifetime(signal);
    // Some hosts render without having initialized: the state then lives as long as its first view.
    checklist ??= new Checklist(model, life.signal);
    const root = document.createElement("div");
    root.className = "tw tw-checklist";
    el.append(root);
    const view = new View(checklist, root, life.signal);
    followTheme(root, life.signal);
    keepNativeKeys(root, life.signal);
    draw(<Page view={view} />, root);
    onEnd(life.signal, () => {
      draw(null, root);
      root.remove();
    });
    return life.end;
  }

  return { initialize, render };
};
