// Recovery checklist: the table as text, copied to the clipboard or saved to a file.
// In: the format that the reader chose. Out: the text.
import { useEffect, useState } from "preact/hooks";
import { ChoiceList } from "../shared/choice-list";
import { csv, type Judged, latex, markdown } from "./table-text";
import type { View } from "./view";

const FORMATS: Record<string, { write: (judged: Judged) => string; file: string; type: string }> = {
  Markdown: { write: markdown, file: "recovery.md", type: "text/markdown" },
  LaTeX: { write: latex, file: "recovery.tex", type: "text/x-tex" },
  CSV: { write: csv, file: "recovery.csv", type: "text/csv" },
};

export function CopyTable({ view }: { view: View }) {
  const [name, setName] = useState("Markdown");
  const [said, say] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(""), 4000);
    return () => clearTimeout(timer);
  }, [said]);
  const format = FORMATS[name] as (typeof FORMATS)[string];
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(format.write(view.checklist.judged));
      say(`Copied as ${name}.`);
    } catch {
      // The page was opened as a file, or the reader doesn't allow it to copy.
      say("The browser forbids copying here: save it instead.");
    }
  };
  const save = () => {
    const address = URL.createObjectURL(
      new Blob([format.write(view.checklist.judged)], { type: format.type }),
    );
    const link = document.createElement("a");
    link.href = address;
    link.download = format.file;
    link.click();
    URL.revokeObjectURL(address);
    say(`Saved as ${format.file}.`);
  };
  return (
    <div class="twr-copy">
      <span class="tw-quiet" role="status">
        {said}
      </span>
      <ChoiceList
        name="Table as"
        value={name}
        options={Object.keys(FORMATS).map((one) => ({ value: one, text: one }))}
        onChoose={setName}
      />
      <button type="button" class="tw-button" onClick={() => void copy()}>
        Copy
      </button>
      <button type="button" class="tw-button" onClick={save}>
        Save
      </button>
    </div>
  );
}
