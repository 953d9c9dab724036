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

/** An expression of the right types from which nothing to run can be made. */
export class CelProgramError extends CelError {
  override name = 'CelProgramError';
}

/** Why an expression cannot be used, as Kubernetes says it. */
export function compilationProblem(error: CelError): string {
  return `${error instanceof CelProgramError ? 'program instantiation failed' : 'compilation failed'}: ${error.message}`;
}
