// The node authorizer: a kubelet may do what kubelets do, but sees only its own node, the pods that are bound to it, and
// what these refer to. Which of its own objects it may write, admission's NodeRestriction says. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/node/.

import type { UserInfo } from '../resources/resource.ts';
import type { AuthorizationAttributes, Authorizer, Decision, RuleResolver } from './authorizer.ts';
import type { NodeGraph } from './node-graph.ts';
import { nodeRules } from './rbac/bootstrap-roles.ts';
import { ruleAllows } from './rbac/rules.ts';

const nodePrefix = 'system:node:';

/** The name of the node that a kubelet speaks for, '' when it says none; undefined for everyone else. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(nodePrefix) && groups.includes('system:nodes') ? name.slice(nodePrefix.length) : undefined;
}

const noOpinion: Decision = Object.freeze({ decision: 'no opinion' });
const allowed: Decision = Object.freeze({ decision: 'allow' });
const because = (reason: string): Decision => ({ decision: 'no opinion', reason });

interface Question {
  node: string;
  asked: AuthorizationAttributes;
  graph: NodeGraph;
}

/** Allows kubelets what is theirs, and has no opinion of anyone else. */
export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  return (asked) => {
    const node = nodeNameOf(asked.user);
    if (node === undefined) return noOpinion;
    if (node === '') return because(`unknown node for user ${JSON.stringify(asked.user.name)}`);
    const { group, resource, isResourceRequest } = asked;
    const decide = isResourceRequest ? divided.get(group ? `${resource}.${group}` : resource) : undefined;
    if (decide) return decide({ node, asked, graph });
    return nodeRules.some((rule) => ruleAllows(rule, asked)) ? allowed : noOpinion;
  };
}

/** Of what kubelets may, no list can be made. */
export const nodeRuleResolver: RuleResolver = (user) => {
  const isNode = nodeNameOf(user) !== undefined;
  return { rules: [], problems: isNode ? ['node authorizer does not support user rule resolution'] : [], isIncomplete: isNode };
};

/** What not every kubelet may, by resource and group: whether this one may. */
const divided: ReadonlyMap<string, (question: Question) => Decision> = new Map([
  ['secrets', decideRead],
  ['configmaps', decideRead],
  ['persistentvolumeclaims', (question) => (question.asked.subresource === 'status' ? decideStatusUpdate(question) : decideGet(question))],
  ['persistentvolumes', decideGet],
  ['resourceclaims.resource.k8s.io', decideGet],
  ['volumeattachments.storage.k8s.io', decideGet],
  ['serviceaccounts', (question) => (question.asked.verb === 'get' ? decideGet(question) : decideToken(question))],
  ['leases.coordination.k8s.io', decideLease],
  ['csinodes.storage.k8s.io', decideCsiNode],
  ['resourceslices.resource.k8s.io', decideResourceSlice],
  ['nodes', decideNode],
  ['pods', decidePod],
]);

const isRead = (verb: string) => verb === 'get' || verb === 'list' || verb === 'watch';
const isSingleWrite = (verb: string) => verb === 'update' || verb === 'patch' || verb === 'delete';

function decideRelated({ node, asked: { resource, namespace, name }, graph }: Question): Decision {
  if (name === '') return because('No Object name found');
  return graph.isRelated(node, resource, namespace, name)
    ? allowed
    : because(`no relationship found between node '${node}' and this object`);
}

function decideRead(question: Question): Decision {
  const { verb, subresource, namespace } = question.asked;
  if (!isRead(verb)) return because('can only read resources of this type');
  if (subresource !== '') return because('cannot read subresource');
  if (namespace === '') return because('can only read namespaced object of this type');
  return decideRelated(question);
}

function decideGet(question: Question): Decision {
  const { verb, subresource } = question.asked;
  if (verb !== 'get') return because('can only get individual resources of this type');
  if (subresource !== '') return because('cannot get subresource');
  return decideRelated(question);
}

function decideStatusUpdate(question: Question): Decision {
  const { verb } = question.asked;
  return verb === 'update' || verb === 'patch' ? decideRelated(question) : because('can only get/update/patch this type');
}

function decideToken(question: Question): Decision {
  const { verb, name, subresource } = question.asked;
  if (verb !== 'create' || name === '') return because('can only create tokens for individual service accounts');
  if (subresource !== 'token') return because('can only create token subresource of serviceaccount');
  return decideRelated(question);
}

function decideLease({ node, asked: { verb, namespace, name } }: Question): Decision {
  if (verb !== 'get' && verb !== 'create' && !isSingleWrite(verb))
    return because('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease') return because('can only access leases in the "kube-node-lease" system namespace');
  // What is created has no name yet: admission looks at it.
  if (verb !== 'create' && name !== node) return because('can only access node lease with the same name as the requesting node');
  return allowed;
}

function decideCsiNode({ node, asked: { verb, subresource, name } }: Question): Decision {
  if (verb !== 'get' && verb !== 'create' && !isSingleWrite(verb))
    return because('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return because('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node) return because('can only access CSINode with the same name as the requesting node');
  return allowed;
}

function decideResourceSlice(question: Question): Decision {
  const { verb, subresource } = question.asked;
  if (subresource !== '') return because('cannot authorize ResourceSlice subresources');
  if (verb === 'create') return allowed;
  if (verb === 'get' || isSingleWrite(verb)) return decideRelated(question);
  if (verb !== 'watch' && verb !== 'list' && verb !== 'deletecollection')
    return because(
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    );
  return selectsOwn(question, 'nodeName')
    ? allowed
    : because('can only list/watch/deletecollection resourceslices with nodeName field selector');
}

function decideNode({ node, asked: { verb, subresource, name } }: Question): Decision {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion;
  if (subresource !== '') return noOpinion;
  if (verb === 'create' || verb === 'update' || verb === 'patch') return allowed;
  if (!isRead(verb)) return noOpinion;
  // By its name and not by what is there: a kubelet looks for its node before it makes it.
  if (name === node) return allowed;
  const what = name === '' ? 'all nodes' : `'${name}'`;
  return because(`node '${node}' cannot read ${what}, only its own Node object`);
}

function decidePod(question: Question): Decision {
  const { verb, subresource, name } = question.asked;
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion;
  if (subresource === 'eviction') return verb === 'create' ? allowed : noOpinion;
  if (subresource !== '') return noOpinion;
  if (verb === 'get') return decideGet(question);
  if (verb === 'create' || verb === 'delete') return allowed;
  if (!isRead(verb)) return noOpinion;
  if (selectsOwn(question, 'spec.nodeName')) return allowed;
  if (name !== '') return decideRelated(question);
  return because('can only list/watch pods with spec.nodeName field selector');
}

const selectsOwn = ({ node, asked: { fieldSelector = [] } }: Question, wanted: string) =>
  fieldSelector.some(({ field, operator, value }) => field === wanted && operator === '=' && value === node);
