// Shared: a drop-down list with its name in front of it.
// In: the options and the current value. Out: a call with the value that the reader chose.

interface Props {
  name: string;
  /** The accessible name, where a single letter says too little. */
  label?: string;
  value: string;
  options: { value: string; text: string }[];
  onChoose: (value: string) => void;
}

export function ChoiceList({ name, label, value, options, onChoose }: Props) {
  return (
    <label class="tw-choice">
      <span class="tw-quiet">{name}</span>
      <select
        aria-label={label ?? name}
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}
