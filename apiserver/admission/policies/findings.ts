// What validating policies found in a request, and what becomes of it: a refusal, audit annotations.

import { forbiddenError, StatusError, type StatusReason } from '../../../api/status.ts';
import type { AdmissionAttributes } from '../admission.ts';

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };
const annotationBytesMax = 10 * 1024;
const failuresMax = 50;

export interface Denial {
  readonly policy: string;
  /** undefined where the policy itself cannot be carried out. */
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: StatusReason;
}

/** As the audit annotation has it. */
export interface ValidationFailure {
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly expressionIndex: number;
  readonly validationActions: readonly string[];
}

/** The findings of all policies about one request. */
export class Findings {
  readonly #denials: Denial[] = [];
  readonly #failures: ValidationFailure[] = [];
  readonly #annotations = new Map<string, Set<string>>();

  deny(denial: Denial): void {
    this.#denials.push(denial);
  }

  audit(failure: ValidationFailure): void {
    this.#failures.push(failure);
  }

  /** Different values that bindings and parameters lead to are all kept. */
  annotate(key: string, value: string): void {
    const values = this.#annotations.get(key) ?? new Set();
    this.#annotations.set(key, values.add(cutToBytes(value, annotationBytesMax)));
  }

  publish(attributes: AdmissionAttributes): void {
    for (const [key, values] of this.#annotations) attributes.annotate(key, [...values].join(', '));
    if (this.#failures.length === 0) return;
    const key = 'validation.policy.admission.k8s.io/validation_failure';
    attributes.annotate(key, JSON.stringify(this.#failures.slice(0, failuresMax)));
  }

  /** What refuses the request: the first denial; Kubernetes names no others. */
  refusal({ kind, name }: AdmissionAttributes): StatusError | undefined {
    const [denial] = this.#denials;
    if (!denial) return undefined;
    const { policy, binding, message, reason } = denial;
    const who = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? '' : ` with binding '${binding}'`}`;
    const text = `${who} denied request: ${message}`;
    const { message: full, details } = forbiddenError(kind, name, text);
    const causes = [...(details?.causes ?? []), { message: text }];
    return StatusError.fromStatus({ reason, message: full, code: codes[reason] ?? 422, details: { ...details, causes } });
  }
}

function cutToBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString()
    .replace(/\ufffd+$/, '');
}
