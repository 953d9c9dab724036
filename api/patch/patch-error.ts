// What can be wrong with a patch, as Kubernetes answers it.

import { StatusError } from '../status.ts';

/** The patch itself is malformed. */
export function badPatchError(message: string): StatusError {
  return new StatusError('BadRequest', message);
}

/** The patch is well-formed but cannot be applied to the object. Kubernetes does not say why. */
export function unprocessablePatchError(): StatusError {
  return new StatusError('Invalid', 'the server rejected our request due to an error in our request', { details: {} });
}

/** Go's `map[a:1 b:[x y]]`, as its messages print objects. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
}
