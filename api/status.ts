// API failures: one class, one table from reason to HTTP code (metav1.StatusReason), and the constructors
// whose messages clients know from k8s.io/apimachinery/pkg/api/errors.

import type { FieldError } from './field-error.ts';
import { groupResourceOf, type Kind } from './kind.ts';

const codes = {
  '': 500,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  StoreReadError: 500,
} as const;

export type StatusReason = keyof typeof codes;

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** metav1.Status on the wire. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code: number;
}

export class StatusError extends Error {
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, options: { details?: StatusDetails; code?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StatusError';
    this.reason = reason;
    this.code = options.code ?? codes[reason];
    this.details = options.details;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }

  /** The error a server's Status describes. */
  static fromStatus(status: Partial<Status>): StatusError {
    const reason = status.reason && status.reason in codes ? status.reason : '';
    return new StatusError(reason, status.message ?? 'unknown', {
      ...(status.details ? { details: status.details } : {}),
      code: status.code ?? codes[reason],
    });
  }
}

type Named = Pick<Kind, 'group' | 'plural' | 'kind'>;
const detailsOf = (kind: Named, name: string): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(kind.group ? { group: kind.group } : {}),
  kind: kind.plural,
});

export function isStatus(error: unknown, ...reasons: StatusReason[]): error is StatusError {
  return error instanceof StatusError && (reasons.length === 0 || reasons.includes(error.reason));
}

export function notFoundError(kind: Named, name: string): StatusError {
  return new StatusError('NotFound', `${groupResourceOf(kind)} "${name}" not found`, { details: detailsOf(kind, name) });
}
export function alreadyExistsError(kind: Named, name: string): StatusError {
  return new StatusError('AlreadyExists', `${groupResourceOf(kind)} "${name}" already exists`, { details: detailsOf(kind, name) });
}
export function conflictError(kind: Named, name: string, why: string): StatusError {
  return new StatusError('Conflict', `Operation cannot be fulfilled on ${groupResourceOf(kind)} "${name}": ${why}`, {
    details: detailsOf(kind, name),
  });
}
/** The registry's words when a resourceVersion is stale. */
export const staleObjectMessage = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbiddenError(kind: Named, name: string, why: string): StatusError {
  const subject = name ? `${groupResourceOf(kind)} "${name}" is forbidden` : `${groupResourceOf(kind)} is forbidden`;
  return new StatusError('Forbidden', `${subject}: ${why}`, { details: detailsOf(kind, name) });
}
export function badRequestError(message: string): StatusError {
  return new StatusError('BadRequest', message);
}
export function goneError(message: string): StatusError {
  return new StatusError('Expired', message);
}
export function internalError(message: string): StatusError {
  return new StatusError('InternalError', `Internal error occurred: ${message}`, { details: { causes: [{ message }] } });
}

/** 422 with every problem as a cause; the message lists them as Kubernetes does. */
export function invalidError(kind: Named, name: string, errors: readonly FieldError[]): StatusError {
  const texts = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const subject = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  return new StatusError('Invalid', `${subject} "${name}" is invalid: ${list}`, {
    details: {
      ...(name ? { name } : {}),
      ...(kind.group ? { group: kind.group } : {}),
      kind: kind.kind,
      causes: errors.map((e) => ({ reason: e.type, message: e.message, field: e.field })),
    },
  });
}
