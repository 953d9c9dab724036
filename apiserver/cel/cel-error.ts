// What goes wrong with a CEL expression.

/** An expression that does not compile, fails, or costs too much. */
export class CelError extends Error {
  override name = 'CelError';
}

/** Why an expression does not parse; `at` is in UTF-16 units. */
export class CelSyntaxError extends CelError {
  override name = 'CelSyntaxError';
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** A run that has cost too much: it is over, whatever else might be said. */
export class CelCostError extends CelError {
  override name = 'CelCostError';
}
