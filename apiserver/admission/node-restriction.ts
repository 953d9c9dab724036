// A kubelet changes its own node and the pods on it, and nothing else (admission plug-in NodeRestriction).

import { isDeepStrictEqual } from 'node:util';
import { type Node, nodes, type Pod, pods } from '../../api/core.ts';
import { forbiddenError, type StatusError } from '../../api/status.ts';
import { nodeNameOf } from '../authz/node-authorizer.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  handles: ({ kind, user }) =>
    kind.group === '' && (kind.plural === nodes.plural || kind.plural === pods.plural) && nodeNameOf(user) !== undefined,
  validate(write) {
    const node = nodeNameOf(write.user) ?? '';
    const problem = write.kind.plural === nodes.plural ? nodeProblem(node, write) : podProblem(node, write);
    if (problem) throw refusal(write, problem);
  },
};

function refusal({ kind, name }: AdmissionAttributes, why: string): StatusError {
  return forbiddenError(kind, name, why);
}

function nodeProblem(node: string, { operation, name, object, old, subresource }: AdmissionAttributes): string | undefined {
  const own = JSON.stringify(node);
  if (name !== node) return `node ${own} is not allowed to modify node ${JSON.stringify(name)}`;
  if (operation !== 'UPDATE' || subresource !== '') return undefined;
  const [after, before] = [object as Node, old as Node];
  if (!isDeepStrictEqual(after.spec?.taints ?? [], before.spec?.taints ?? [])) return `node ${own} is not allowed to modify taints`;
  if (!isDeepStrictEqual(after.metadata?.ownerReferences ?? [], before.metadata?.ownerReferences ?? []))
    return `node ${own} is not allowed to modify ownerReferences`;
  return undefined;
}

function podProblem(node: string, { operation, object, old, subresource }: AdmissionAttributes): string | undefined {
  const own = JSON.stringify(node);
  if (operation === 'CREATE') {
    const { metadata, spec } = object as Pod;
    if (metadata?.annotations?.[mirrorAnnotation] === undefined)
      return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${own} can only create mirror pods`;
    if (spec?.nodeName !== node) return `node ${own} can only create pods with spec.nodeName set to itself`;
    if (spec.serviceAccountName) return `node ${own} can not create pods that reference a service account`;
    return undefined;
  }
  if ((old as Pod).spec?.nodeName === node) return undefined;
  if (operation === 'DELETE') return `node ${own} can only delete pods with spec.nodeName set to itself`;
  const what = subresource === 'status' ? 'update pod status for' : 'update';
  return `node ${own} can only ${what} pods with spec.nodeName set to itself`;
}
