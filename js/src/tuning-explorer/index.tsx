// Tuning explorer: the entry that anywidget calls.
import { listenToKeys } from "../shared/keyboard";
import { widget } from "../shared/widget";
import { Explorer } from "./explorer";
import { Page } from "./page";
import { View } from "./view";
import "./style.css";

export default widget(
  "tw-explorer",
  (model, signal) => new Explorer(model, signal),
  (explorer, root, signal) => {
    const view = new View(explorer, root, signal);
    listenToKeys(root, view.keys, signal);
    explorer.attend(signal);
    return <Page view={view} />;
  },
);
