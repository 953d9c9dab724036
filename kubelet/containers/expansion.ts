// `$(NAME)` in commands, arguments and environment values, as third_party/forked/golang/expansion reads it.

/** Replaces `$(NAME)` by its value; `$$` is a dollar sign; a name without a value stays as it is written. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, next: string, name: string | undefined) => {
    if (next === '$') return '$';
    return lookUp(name ?? '') ?? whole;
  });
}

/**
 * The same, for sub paths: every name must have a value.
 * @throws Error naming those that have none
 */
export function expandStrictly(text: string, lookUp: (name: string) => string | undefined): string {
  const missing: string[] = [];
  const result = expand(text, (name) => {
    const value = lookUp(name);
    if (value === undefined) missing.push(name);
    return value;
  });
  if (missing.length) throw new Error(`missing value for ${missing.map((name) => JSON.stringify(name)).join(', ')}`);
  return result;
}
