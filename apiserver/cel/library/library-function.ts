// How functions are declared: a signature beside what computes it. Integers are bigint, doubles number, lists arrays; the libraries' own
// types are classes that know their equality.

/**
 * `string.charAt(int): string`; with lower-case names before the dot that are no types, as `sets.contains(...)`, a namespace. Without
 * anything to compute: the interpreter itself does.
 */
export type LibraryFunction = readonly [signature: string, compute: ((...args: never[]) => unknown) | undefined];

/** A value of a library's own type. */
export interface LibraryValue {
  equals(other: unknown): boolean;
}
