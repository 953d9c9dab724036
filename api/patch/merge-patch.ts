// JSON merge patch (RFC 7386).

import { badPatchError } from './patch-error.ts';

/** `current` with `patch` merged in; neither is changed, and the result may share parts with both. @throws StatusError */
export function mergePatch(current: object, patch: unknown): object {
  if (!isObject(patch)) throw badPatchError('Invalid JSON Patch');
  return merge(current, patch);
}

function merge(target: unknown, patch: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else define(result, key, isObject(value) ? merge(own(result, key), value) : value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets even a key that has a meaning of its own in JavaScript. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}
