// Shared: the part of a widget's state that a page's address gives, checked before use.
// In: values by trait, which anybody may have written. Out: those that are valid for the widget.

export type AddressState = Readonly<Record<string, unknown>>;
export type Check = (value: unknown) => boolean;

export const isFlag: Check = (value) => typeof value === "boolean";
/** A text of no more than so many characters, which anybody may have put into an address. */
export const isText: Check = (value) => typeof value === "string" && value.length <= 500;
export const isNumber: Check = (value) => Number.isFinite(value);

export function below(count: number): Check {
  return (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < count;
}

export function oneOf(choices: readonly unknown[]): Check {
  return (value) => choices.includes(value);
}

/** A list whose items all pass; of exactly `count` items, if given. */
export function listOf(check: Check, count?: number): Check {
  return (value) =>
    Array.isArray(value) && (count === undefined || value.length === count) && value.every(check);
}

/** The values of `asked` that pass their trait's check. */
export function fitting<T extends object>(
  asked: AddressState,
  checks: { readonly [K in keyof T]: Check },
): Partial<T> {
  const known = checks as Readonly<Record<string, Check>>;
  return Object.fromEntries(
    Object.entries(asked).filter(([name, value]) => Object.hasOwn(known, name) && known[name]?.(value)),
  ) as Partial<T>;
}
