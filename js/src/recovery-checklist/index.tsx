// Recovery checklist: the entry that anywidget calls.
import { keepNativeKeys } from "../shared/keyboard";
import { widget } from "../shared/widget";
import { Checklist } from "./checklist";
import { Page } from "./page";
import { View } from "./view";
import "./style.css";

export default widget(
  "tw-checklist",
  (model, signal) => new Checklist(model, signal),
  (checklist, root, signal) => {
    keepNativeKeys(root, signal);
    return <Page view={new View(checklist, root, signal)} />;
  },
);
