// Unit scatter: the entry that anywidget calls.
import { keepNativeKeys } from "../shared/keyboard";
import { widget } from "../shared/widget";
import { Page } from "./page";
import { Scatter } from "./state/scatter";
import { View } from "./state/view";
import "./style.css";

export default widget(
  "tw-scatter",
  (model, signal) => new Scatter(model, signal),
  (scatter, root, signal) => {
    keepNativeKeys(root, signal);
    return <Page view={new View(scatter, root, signal)} />;
  },
);
