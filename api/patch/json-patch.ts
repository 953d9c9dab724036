// JSON patch (RFC 6902), within Kubernetes' bound on the number of operations.

import jsonPatchLibrary, { type Operation } from 'fast-json-patch';
import { copyJson } from '../copy-json.ts';
import { StatusError } from '../status.ts';
import { badPatchError, unprocessablePatchError } from './patch-error.ts';

/** The API server takes no more in one request. */
export const jsonPatchOperationsMax = 10_000;

const operationNames = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** `current` after all operations, or none; `current` is not changed. @throws StatusError */
export function jsonPatch(current: object, patch: unknown): object {
  const operations = checkOperations(patch);
  try {
    let patched: unknown = copyJson(current);
    for (const operation of operations) {
      for (const step of stepsOf(patched, operation))
        patched = jsonPatchLibrary.applyOperation(patched, step, true, true, true).newDocument;
    }
    // An operation at the root may put anything in the object's place.
    if (typeof patched !== 'object' || patched === null || Array.isArray(patched)) throw unprocessablePatchError();
    return patched;
  } catch (error) {
    // The library's own errors, and its TypeErrors for pointers of a prototype, all speak of the patch.
    if (error instanceof jsonPatchLibrary.JsonPatchError || error instanceof TypeError) throw unprocessablePatchError();
    throw error;
  }
}

/** Copies and moves as additions: the library copies by way of JSON, which has no integers of 64 bits. */
function stepsOf(document: unknown, operation: Operation): Operation[] {
  if (operation.op !== 'copy' && operation.op !== 'move') return [operation];
  const { path, from } = operation;
  const value: unknown = jsonPatchLibrary.getValueByPointer(document, from);
  if (value === undefined) throw unprocessablePatchError();
  const add: Operation = { op: 'add', path, value: copyJson(value) };
  return operation.op === 'copy' ? [add] : [{ op: 'remove', path: from }, add];
}

function checkOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    const what = patch === null ? 'null' : typeof patch === 'boolean' ? 'bool' : typeof patch;
    throw badPatchError(`error decoding patch: json: cannot unmarshal ${what} into Go value of type []handlers.jsonPatchOp`);
  }
  if (patch.length > jsonPatchOperationsMax) {
    throw new StatusError(
      'RequestEntityTooLarge',
      `Request entity is too large: The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${patch.length}`,
    );
  }
  for (const operation of patch as Partial<Operation>[]) {
    if (typeof operation !== 'object' || operation === null) throw badPatchError('error decoding patch: an operation is no object');
    if (!operationNames.has(operation.op ?? '')) throw unprocessablePatchError();
    if (typeof operation.path !== 'string') throw unprocessablePatchError();
  }
  return patch as Operation[];
}
