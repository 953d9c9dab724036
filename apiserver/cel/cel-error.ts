// What goes wrong with a CEL expression.

/** An expression that does not compile, fails, or costs too much. */
export class CelError extends Error {
  override name = 'CelError';
}
