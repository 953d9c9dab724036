// Nodes: the machines, what they can hold and whether they take pods.

import { conditionOf } from '../../api/conditions.ts';
import { type Node, nodes } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { isIpv6, legacyCidrErrors } from '../../api/validation/ip.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { cidrWarnings } from './address-warnings.ts';
import { ageColumn, nameColumn, text, wide } from './columns.ts';
import { keep } from './generation.ts';
import { taintEffectErrors } from './pod-scheduling.ts';
import { serve } from './resource.ts';
import { defaultResourceList, quantityErrors, resourceNameErrors } from './resource-lists.ts';

export function defaultNode({ status }: Node): void {
  if (!status) return;
  defaultResourceList(status.capacity);
  if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity };
  else defaultResourceList(status.allocatable);
}

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

function taintsErrors(taints: readonly Taint[] | undefined, at: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  eachAt(taints, at, (taint, each) => {
    const { key = '', value = '', effect = '' } = taint;
    for (const problem of qualifiedNameProblems(key)) errors.push(invalid(`${each}.key`, key, problem));
    const problems = labelValueProblems(value);
    if (problems.length) errors.push(invalid(`${each}.value`, value, problems.join(';')));
    taintEffectErrors(effect, `${each}.effect`, errors);
    const unique = `${effect} ${key}`;
    if (seen.has(unique))
      errors.push({
        ...duplicate(each, taint),
        message: `${duplicate(each, taint).message}: taints must be unique by key and effect pair`,
      });
    seen.add(unique);
  });
}

function resourcesErrors(node: Node, errors: FieldError[]): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    const list = node.status?.[field];
    for (const name in list) {
      const at = `status.${field}[${name}]`;
      resourceNameErrors(name, at, errors);
      quantityErrors(name, list[name] as string, at, errors);
    }
  }
}

export function validateNode(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  const { spec = {} } = node;
  taintsErrors(spec.taints, 'spec.taints', errors);
  resourcesErrors(node, errors);
  if (spec.podCIDRs?.length) {
    eachAt(spec.podCIDRs, 'spec.podCIDRs', (cidr, at) => {
      errors.push(...legacyCidrErrors(at, cidr));
    });
    const families = new Set(spec.podCIDRs.map((cidr) => isIpv6(cidr.split('/')[0] ?? '')));
    if (spec.podCIDRs.length > 1 && (families.size < 2 || spec.podCIDRs.length > 2))
      errors.push(invalid('spec.podCIDRs', spec.podCIDRs, 'may specify no more than one CIDR for each IP family'));
  }
  return errors;
}

/** What nobody may change once it is known: addresses for pods and the provider's id. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const { spec = {} } = node;
  const oldSpec = old.spec ?? {};
  taintsErrors(spec.taints, 'spec.taints', errors);
  resourcesErrors(node, errors);
  const addresses = new Set<string>();
  eachAt(node.status?.addresses, 'status.addresses', (address, at) => {
    const key = `${address.type} ${address.address}`;
    if (addresses.has(key)) errors.push(duplicate(at, address));
    addresses.add(key);
  });
  if (oldSpec.podCIDRs?.length && !semanticEqual(spec.podCIDRs, oldSpec.podCIDRs))
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if (oldSpec.providerID && spec.providerID !== oldSpec.providerID)
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  return errors;
}

const rolePrefix = 'node-role.kubernetes.io/';

function statusText(node: Node): string {
  const ready = conditionOf(node.status?.conditions, 'Ready');
  const state = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}

function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata?.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value) roles.add(value);
  }
  return [...roles].sort().join(',') || '<none>';
}

const addressText = (node: Node, type: string) => node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';

function nodeWarnings({ spec }: Node): string[] {
  return [
    ...(spec?.configSource ? ['spec.configSource: the feature is removed'] : []),
    ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec?.podCIDRs ?? []).flatMap((range, i) => cidrWarnings(range, `spec.podCIDRs[${i}]`)),
  ];
}

export const nodeResource = serve(nodes, {
  fields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  defaults: defaultNode,
  beforeCreate(node) {
    node.spec ??= {};
    if (node.spec.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
  },
  beforeUpdate(node, old) {
    keep(node, old, 'status');
    if (node.spec?.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
  },
  validate: validateNode,
  warningsOf: nodeWarnings,
  validateUpdate: validateNodeUpdate,
  status: { beforeUpdate: (node, old) => keep(node, old, 'spec'), validateUpdate: validateNodeUpdate },
  subresources: { proxy: { kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'], handler: 'node-proxy' } },
  columns: [
    nameColumn(),
    text('Status', 'Whether the node is healthy and takes pods.', statusText),
    text('Roles', 'What the node is for.', rolesText),
    ageColumn(),
    text('Version', 'The version of its kubelet.', (node) => node.status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', 'Its address inside the cluster.', (node) => addressText(node, 'InternalIP')),
    wide('External-IP', 'Its address outside the cluster.', (node) => addressText(node, 'ExternalIP')),
    wide('OS-Image', 'Its operating system.', (node) => node.status?.nodeInfo?.osImage || '<unknown>'),
    wide('Kernel-Version', 'The version of its kernel.', (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>'),
    wide('Container-Runtime', 'The runtime of its containers.', (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ],
});
