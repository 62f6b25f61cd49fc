// Reader test: the entry that anywidget calls.
import { listenToKeys } from "../shared/keyboard";
import { widget } from "../shared/widget";
import { Page } from "./page";
import { Trials } from "./trials";
import "./style.css";

export default widget(
  "tw-reader-test",
  (model, signal) => new Trials(model, signal),
  (test, root, signal) => {
    // So that keys are heard without a click on a button first.
    root.tabIndex = 0;
    listenToKeys(
      root,
      {
        ArrowLeft: () => test.answer(0),
        ArrowRight: () => test.answer(1),
        u: () => test.undo(),
        Escape: () => test.stop(),
      },
      signal,
    );
    return <Page test={test} signal={signal} />;
  },
);
