// Walking a list together with the field path of each item.

/** Calls `visit` with each item and its path, `at[0]`, `at[1]`, ... A list left out has no items. */
export function eachAt<T>(list: readonly T[] | undefined, at: string, visit: (item: T, at: string, index: number) => void): void {
  if (!list) return;
  for (let i = 0; i < list.length; i++) visit(list[i] as T, `${at}[${i}]`, i);
}
