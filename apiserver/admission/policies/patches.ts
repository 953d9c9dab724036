// Applying what a mutation's expression made: an apply configuration by the schema's own merge, or operations of a JSON patch
// (k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch).

import { copyJson } from '../../../api/copy-json.ts';
import { internalError } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import { childOf } from '../../apply/compare.ts';
import { mergeObjects } from '../../apply/merge.ts';
import { appliedProblems } from '../../apply/validate-applied.ts';
import { CelError } from '../../cel/environment.ts';
import { JsonPatchValue, ObjectValue, plainJson, typeMismatches } from '../../cel/patch-types.ts';
import { checkBody, DecodeError } from '../../schema/check.ts';
import type { ObjectNode, SchemaNode } from '../../schema/node.ts';
import { applyOperations, OperationError, type PatchOperation, TestFailedError } from '../apply-operations.ts';

type Json = Record<string, unknown>;

/** `object` with what `made`, an `Object{...}`, says. @throws CelError */
export function withConfiguration(object: KubeObject, made: unknown, schema: ObjectNode): KubeObject {
  if (!(made instanceof ObjectValue)) throw new CelError('unsupported return type from ApplyConfiguration expression');
  refuseMismatches(made);
  const applied = plainJson(made) as Json;
  if (object.apiVersion !== undefined) applied['apiVersion'] = object.apiVersion;
  if (object.kind !== undefined) applied['kind'] = object.kind;
  const problems = appliedProblems(applied, schema);
  const head = 'error applying patch';
  if (problems.length) throw new CelError(`${head}: failed to convert patch object to typed object: ${listed(problems)}`);
  const atomics: string[] = [];
  findAtomics(applied, schema, '', atomics);
  if (atomics.length)
    throw new CelError(`${head}: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`);
  return fitted(mergeObjects(object as Json, applied, schema), schema, false);
}

/** `object` after the operations in `made`, a list of `JSONPatch{...}`. @throws CelError; StatusError for what is no such object any more */
export function withOperations(object: KubeObject, made: unknown, schema: ObjectNode): KubeObject {
  const operations = (Array.isArray(made) ? made : []).map((each: unknown): PatchOperation => {
    if (!(each instanceof JsonPatchValue))
      throw new CelError('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch');
    const { op = '', path = '', from, value } = each.fields;
    if (value !== undefined) refuseMismatches(value);
    return {
      op: String(op),
      path: String(path),
      ...(from ? { from: String(from) } : {}),
      value: value === undefined ? undefined : jsonValue(value),
    };
  });
  try {
    return fitted(applyOperations(object, operations) as Json, schema, true);
  } catch (error) {
    if (error instanceof TestFailedError) return object;
    if (error instanceof OperationError) throw new CelError(`JSON Patch: ${error.message}`, { cause: error });
    throw error;
  }
}

function jsonValue(value: unknown): unknown {
  try {
    return plainJson(value);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw new CelError(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${error.message}`, { cause: error });
  }
}

function refuseMismatches(made: unknown): void {
  const mismatches = typeMismatches(made);
  if (mismatches.length) throw new CelError(`type mismatch: ${mismatches.join('\n')}`);
}

/** As structured-merge-diff prints several problems. */
const listed = (problems: readonly string[]) =>
  problems.length === 1 ? (problems[0] as string) : `errors:\n${problems.map((problem) => `  ${problem}\n`).join('')}`;

/** What is owned whole would lose what is not said again. */
function findAtomics(value: unknown, node: SchemaNode, path: string, found: string[]): void {
  if (Array.isArray(value)) {
    if (node.type === 'any' || (node.type === 'list' && node.listType === 'atomic')) found.push(path);
    if (node.type === 'list') value.forEach((item, i) => void findAtomics(item, node.item, `${path}[${i}]`, found));
  } else if (typeof value === 'object' && value !== null) {
    const isAtomic = node.type === 'any' ? !node.isGranular : node.type !== 'scalar' && node.type !== 'list' && node.isAtomic;
    if (isAtomic) found.push(path);
    if (node.type !== 'object') return;
    for (const [key, item] of Object.entries(value))
      if (node.fields.has(key)) findAtomics(item, childOf(node, key), `${path}.${key}`, found);
  }
}

/** In the wire's form, as if a client had sent it. @throws StatusError for what does not fit the kind */
function fitted(patched: Json, schema: ObjectNode, isStrict: boolean): KubeObject {
  const copy = copyJson(patched);
  try {
    const { unknownFields } = checkBody(copy, schema);
    if (isStrict && unknownFields.length && !schema.isCustom) throw internalError(`strict decoding error: ${unknownFields.join(', ')}`);
  } catch (error) {
    if (error instanceof DecodeError) throw internalError(error.message);
    throw error;
  }
  return copy as KubeObject;
}
