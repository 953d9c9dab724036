// Resource quotas: a write is charged to every quota it counts in, in the quota's status and under its resourceVersion, before
// it is stored; what would exceed one is refused (admission plug-in ResourceQuota). Charges of writes that fail afterwards,
// and of objects that are gone, are given back by the quota controller.

import { type Pod, type ResourceQuota, resourceQuotas } from '../../api/core.ts';
import { groupResourceOf } from '../../api/kind.ts';
import { isPodLevelResource, type ResourceAmounts } from '../../api/pods.ts';
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity, subtractQuantities } from '../../api/quantity.ts';
import { isMeasureOf, isQuotaFor, quotaScopesMatch, quotaUsageOf } from '../../api/quota-usage.ts';
import { resourceClaims } from '../../api/resource.ts';
import { isStatus, type StatusError } from '../../api/status.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import { checkLimited, type LimitedResource } from './limited-resources.ts';

const charger: UserInfo = Object.freeze({ name: 'system:apiserver', groups: ['system:masters'] });
const zero: Quantity = Object.freeze({ nano: 0n, format: 'DecimalSI' });
/** Kubernetes has never counted these, and these are not stored. */
const ignored = new Set(['events', 'bindings', 'localsubjectaccessreviews.authorization.k8s.io']);

export interface QuotaOptions {
  nowMs: () => number;
  /** What may be had only where a quota covers it. */
  limited?: readonly LimitedResource[];
}

export function resourceQuota(view: ClusterView, { nowMs, limited = [] }: QuotaOptions): AdmissionPlugin {
  /** The last of each namespace's charges, which follow each other. */
  const queues = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    operations: ['CREATE', 'UPDATE'],
    handles: mayChangeUsage,
    validate(attributes) {
      const { namespace, kind } = attributes;
      const all = view.list(resourceQuotas, namespace);
      const quotas = all.filter(({ status }) => isQuotaFor(kind, status?.hard ?? {}));
      if (quotas.length === 0 && limited.length === 0) return undefined;
      const before = queues.get(namespace) ?? Promise.resolve();
      const charged = before.then(() => charge({ view, all, quotas, attributes, nowMs: nowMs(), limited }));
      const settled = charged.then(
        () => {},
        () => {},
      );
      queues.set(namespace, settled);
      return charged.finally(() => {
        if (queues.get(namespace) === settled) queues.delete(namespace);
      });
    },
  };
}

/** Of most kinds only the number counts; pods change what they take by being resized, services and claims by any update. */
function mayChangeUsage({ kind, subresource, operation, object, old }: AdmissionAttributes): boolean {
  if (!kind.namespaced || !object || ignored.has(groupResourceOf(kind))) return false;
  const isMain = subresource === '';
  if (kind.group === '') {
    if (kind.plural === 'pods') return (isMain && operation === 'CREATE') || (subresource === 'resize' && operation === 'UPDATE');
    if (kind.plural === 'services') return isMain;
    if (kind.plural === 'persistentvolumeclaims') return isMain || (subresource === 'status' && hasOtherStatus(object, old));
  }
  return isMain && (operation === 'CREATE' || groupResourceOf(kind) === groupResourceOf(resourceClaims));
}

interface ClaimStatus extends KubeObject {
  status?: { allocatedResources?: object; currentVolumeAttributesClassName?: string; modifyVolumeStatus?: object };
}

function hasOtherStatus({ status: after }: ClaimStatus, old: ClaimStatus | undefined): boolean {
  const before = old?.status;
  return (['allocatedResources', 'currentVolumeAttributesClassName', 'modifyVolumeStatus'] as const).some(
    (field) => !semanticEqual(after?.[field], before?.[field]),
  );
}

interface Charge {
  view: ClusterView;
  /** All of the namespace's. */
  all: readonly ResourceQuota[];
  /** Those that limit something of the kind. */
  quotas: readonly ResourceQuota[];
  attributes: AdmissionAttributes;
  nowMs: number;
  limited: readonly LimitedResource[];
}

async function charge({ view, all, quotas, attributes, nowMs, limited }: Charge): Promise<void> {
  const { kind, object, old } = attributes;
  if (!object) return;
  const usage = quotaUsageOf(kind, object, nowMs);
  const before = old ? quotaUsageOf(kind, old, nowMs) : {};
  const covered = quotas.filter(({ spec }) => quotaScopesMatch(spec ?? {}, kind, object));
  for (const quota of covered) checkQuota(quota, attributes);
  checkLimited(limited, { all, covered, usage, delta: increase(usage, before), attributes });
  const concerned: { quota: ResourceQuota; delta: ResourceAmounts }[] = [];
  for (const quota of covered) {
    const wasIn = old !== undefined && quotaScopesMatch(quota.spec ?? {}, kind, old);
    const delta = increase(usage, wasIn ? before : {}, quota.status?.hard);
    if (Object.keys(delta).length) concerned.push({ quota, delta });
  }
  // All are asked before one is charged, so that a refusal leaves nothing behind.
  for (const { quota, delta } of concerned) take(quota, delta, attributes);
  if (attributes.dryRun) return;
  const registry = view.resources.ofKind(resourceQuotas)?.registry;
  if (!registry) return;
  for (const { quota, delta } of concerned) {
    const request = { namespace: attributes.namespace, user: charger, dryRun: false, warn: () => {} };
    await chargeOne(attempt);
    async function attempt(): Promise<void> {
      const name = quota.metadata?.name ?? '';
      // Given the newest quota again whenever another server has charged it meanwhile.
      await registry?.update(name, request, (live) => withUsed(live, delta, attributes), { strategy: registry.statusStrategy });
    }
  }
}

const conflictsMax = 20;

/** Charges of several servers on one store meet in conflicts: each is tried again, from what is newest. */
async function chargeOne(attempt: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      // A quota that has been removed meanwhile limits nothing.
      if (isStatus(error, 'NotFound')) return;
      if (!isStatus(error, 'Conflict') || count === conflictsMax) throw error;
    }
  }
}

function withUsed(live: KubeObject | undefined, delta: ResourceAmounts, attributes: AdmissionAttributes): KubeObject {
  const quota = live as ResourceQuota;
  const taken = take(quota, delta, attributes);
  quota.status = { ...quota.status, used: { ...quota.status?.used, ...taken } };
  return quota;
}

/** @throws StatusError Forbidden when the object says too little to be counted, or what is used is not known yet */
function checkQuota({ metadata, status }: ResourceQuota, attributes: AdmissionAttributes): void {
  const { kind, object } = attributes;
  const { hard = {}, used = {} } = status ?? {};
  const measures = Object.keys(hard).filter((name) => isMeasureOf(kind, name));
  const missing = kind.group === '' && kind.plural === 'pods' ? missingAmounts(object as Pod, measures) : [];
  if (missing.length) throw refusal(attributes, `failed quota: ${metadata?.name}: must specify ${missing.join('; ')}`);
  if (measures.some((name) => used[name] === undefined))
    throw refusal(attributes, `status unknown for quota: ${metadata?.name}, resources: ${measures.sort().join(',')}`);
}

/** What would be used with `delta`. @throws StatusError Forbidden when that is too much */
function take(quota: ResourceQuota, delta: ResourceAmounts, attributes: AdmissionAttributes): Record<string, string> {
  const { hard = {}, used = {} } = quota.status ?? {};
  const taken: Record<string, string> = {};
  const exceeded: string[] = [];
  for (const each in delta) {
    const bound = hard[each];
    if (bound === undefined) continue;
    const sum = addQuantities(parseQuantity(used[each] ?? '0'), delta[each] as Quantity);
    taken[each] = formatQuantity(sum);
    if (compareQuantities(sum, bound) > 0) exceeded.push(each);
  }
  // Whoever reports what a claim has got by now cannot be refused.
  if (exceeded.length === 0 || attributes.subresource === 'status') return taken;
  const shown = (of: (name: string) => string) =>
    exceeded
      .sort()
      .map((each) => `${each}=${of(each)}`)
      .join(',');
  const requested = shown((each) => formatQuantity(delta[each] ?? zero));
  const present = shown((each) => used[each] ?? '0');
  const limited = shown((each) => hard[each] ?? '0');
  throw exceeds(attributes, `${quota.metadata?.name}, requested: ${requested}, used: ${present}, limited: ${limited}`);
}

const exceeds = (attributes: AdmissionAttributes, what: string): StatusError => refusal(attributes, `exceeded quota: ${what}`);

/** What a write uses more than before, of what the quota limits. */
function increase(usage: ResourceAmounts, before: ResourceAmounts, hard?: Readonly<Record<string, string>>): ResourceAmounts {
  const delta: ResourceAmounts = {};
  for (const name in usage) {
    if (hard && hard[name] === undefined) continue;
    const more = subtractQuantities(usage[name] as Quantity, before[name] ?? zero);
    if (more.nano > 0n) delta[name] = more;
  }
  return delta;
}

const measuredByContainer = new Set(['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory']);

/** Where cpu or memory is limited, every container must say how much it takes, unless the pod does. */
function missingAmounts({ spec }: Pod, measures: readonly string[]): string[] {
  if (Object.keys({ ...spec?.resources?.limits, ...spec?.resources?.requests }).some(isPodLevelResource)) return [];
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing: string[] = [];
  for (const measure of measures.filter((each) => measuredByContainer.has(each)).sort()) {
    const which = measure.startsWith('limits.') ? 'limits' : 'requests';
    const resource = measure.slice(measure.indexOf('.') + 1);
    const silent = containers.filter(({ resources }) => resources?.[which]?.[resource] === undefined).map(({ name }) => name);
    if (silent.length) missing.push(`${measure} for: ${[...new Set(silent)].sort().join(',')}`);
  }
  return missing;
}
