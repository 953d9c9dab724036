// The failure of a webhook, which its failure policy is about.

/** A webhook gave no answer, or none that can be used. */
export class WebhookCallError extends Error {
  /** The HTTP status that its failure counts as. */
  readonly code: number;

  constructor(message: string, code = 503, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
