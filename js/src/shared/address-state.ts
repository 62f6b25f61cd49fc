// Shared room: where a widget stands, as somebody's address says it.
// In: values by trait, which anybody may have written. Out: those that the widget has a place for.

export type AddressState = Readonly<Record<string, unknown>>;
export type Check = (value: unknown) => boolean;

export const isFlag: Check = (value) => typeof value === "boolean";
export const isNumber: Check = (value) => Number.isFinite(value);

export function below(count: number): Check {
  return (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < count;
}

export function oneOf(choices: readonly unknown[]): Check {
  return (value) => choices.includes(value);
}

/** A list of such; of so many, if that is given. */
export function listOf(check: Check, count?: number): Check {
  return (value) =>
    Array.isArray(value) && (count === undefined || value.length === count) && value.every(check);
}

/** What of `asked` passes its trait's check. */
export function fitting<T extends object>(
  asked: AddressState,
  checks: { readonly [K in keyof T]: Check },
): Partial<T> {
  const known = checks as Readonly<Record<string, Check>>;
  return Object.fromEntries(
    Object.entries(asked).filter(([name, value]) => Object.hasOwn(known, name) && known[name]?.(value)),
  ) as Partial<T>;
}
