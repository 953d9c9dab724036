// Where a version's scale subresource finds replicas and selector in its objects, and what it asks of them there
// (k8s.io/apiextensions-apiserver/pkg/registry/customresource).

import type { CustomResourceDefinition, CustomResourceVersion } from '../../api/apiextensions.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { isWhole, stringifyJson } from '../../api/json.ts';
import { badRequestError, internalError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { goTypeOf } from './go-type.ts';

type Json = Record<string, unknown>;
type ScaleAccess = NonNullable<ResourceDeclaration['scale']>;
export type ScalePaths = NonNullable<NonNullable<CustomResourceVersion['subresources']>['scale']>;

const replicasMax = 2 ** 31 - 1;

/** What a path leads to; undefined: nothing there. */
type Found = { value: unknown } | { problem: string };

/** Follows a dotted path through maps alone. */
function find(object: object, path: string, wanted: 'int64' | 'string'): Found {
  const names = namesOf(path);
  let at: unknown = object;
  for (const [i, name] of names.entries()) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) {
      const why = `is of the type ${goTypeOf(at)}, expected map[string]interface {}`;
      return { problem: `.${names.slice(0, i).join('.')} accessor error: ${goText(at)} ${why}` };
    }
    if (!Object.hasOwn(at, name)) return { value: undefined };
    at = (at as Json)[name];
  }
  const isWanted = wanted === 'string' ? typeof at === 'string' : isWhole(at);
  if (isWanted) return { value: at };
  return { problem: `.${names.join('.')} accessor error: ${goText(at)} is of the type ${goTypeOf(at)}, expected ${wanted}` };
}

const namesOf = (path: string) => path.replace(/^\./, '').split('.');
const goText = (value: unknown) => (typeof value === 'object' ? stringifyJson(value) : String(value));

/** What is wrong with the wanted replicas. */
export function specScaleErrors(object: KubeObject, { specReplicasPath }: ScalePaths): FieldError[] {
  return replicasErrors(object, specReplicasPath);
}

/** What is wrong with the observed replicas and the selector. */
export function statusScaleErrors(object: KubeObject, { statusReplicasPath, labelSelectorPath }: ScalePaths): FieldError[] {
  const errors = replicasErrors(object, statusReplicasPath);
  const selector = labelSelectorPath ? find(object, labelSelectorPath, 'string') : undefined;
  if (labelSelectorPath && selector && 'problem' in selector) errors.push(invalid(labelSelectorPath, '', selector.problem));
  return errors;
}

function replicasErrors(object: KubeObject, path: string): FieldError[] {
  const found = find(object, path, 'int64');
  if ('problem' in found) return [invalid(path, 0, found.problem)];
  const replicas = (found.value ?? 0) as number;
  if (replicas < 0) return [invalid(path, replicas, 'should be a non-negative integer')];
  return replicas > replicasMax ? [invalid(path, replicas, `should be less than or equal to ${replicasMax}`)] : [];
}

/** How the scale subresource reads and writes objects of a version. */
export function scaleAccess(definition: CustomResourceDefinition, paths: ScalePaths): ScaleAccess {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  const read = <T>(object: KubeObject, path: string, wanted: 'int64' | 'string'): T | undefined => {
    const found = find(object, path, wanted);
    if ('problem' in found) throw internalError(found.problem);
    return found.value as T | undefined;
  };
  return {
    specReplicas: (object) => read<number>(object, specReplicasPath, 'int64'),
    statusReplicas: (object) => read<number>(object, statusReplicasPath, 'int64') ?? 0,
    selector: (object) => (labelSelectorPath ? (read<string>(object, labelSelectorPath, 'string') ?? '') : ''),
    setReplicas(object, replicas) {
      const names = namesOf(specReplicasPath);
      let at = object as Json;
      for (const name of names.slice(0, -1)) {
        at[name] ??= {};
        at = at[name] as Json;
      }
      at[names.at(-1) as string] = replicas;
    },
    absent: {
      onRead: () => internalError(`the spec replicas field ${quoted(specReplicasPath)} does not exist`),
      onWrite: () => badRequestError(`the spec replicas field ${quoted(specReplicasPath)} cannot be empty`),
    },
    replicasPaths: replicasPathsOf(definition),
  };
}

const quoted = (text: string) => JSON.stringify(text);

function replicasPathsOf({ spec }: CustomResourceDefinition): NonNullable<ScaleAccess['replicasPaths']> {
  return Object.fromEntries(
    spec.versions.map(({ name, subresources }) => {
      const path = subresources?.scale?.specReplicasPath;
      return [`${spec.group}/${name}`, path ? namesOf(path).map((each) => `f:${each}`) : null];
    }),
  );
}
