// Resource quotas: a write is charged to every quota it counts in, in the quota's status and under its resourceVersion, before
// it is stored; what would exceed one is refused (admission plug-in ResourceQuota). Charges of writes that fail afterwards,
// and of objects that are gone, are given back by the quota controller.

import { type Pod, type ResourceQuota, resourceQuotas } from '../../api/core.ts';
import type { ResourceAmounts } from '../../api/pods.ts';
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity, subtractQuantities } from '../../api/quantity.ts';
import { isQuotaFor, quotaScopesMatch, quotaUsageOf } from '../../api/quota-usage.ts';
import { forbiddenError, type StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

const charger: UserInfo = Object.freeze({ name: 'system:apiserver', groups: ['system:masters'] });
const zero: Quantity = Object.freeze({ nano: 0n, format: 'DecimalSI' });

export function resourceQuota(view: ClusterView): AdmissionPlugin {
  /** The last of each namespace's charges, which follow each other. */
  const queues = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    operations: ['CREATE', 'UPDATE'],
    handles: ({ kind, subresource }) => kind.namespaced && (subresource === '' || subresource === 'resize') && kind.plural !== 'events',
    validate(attributes) {
      const { namespace, kind } = attributes;
      const quotas = view.list(resourceQuotas, namespace).filter(({ spec }) => isQuotaFor(kind, spec?.hard ?? {}));
      if (quotas.length === 0) return undefined;
      const before = queues.get(namespace) ?? Promise.resolve();
      const charged = before.then(() => charge(view, quotas, attributes));
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

async function charge(view: ClusterView, quotas: readonly ResourceQuota[], attributes: AdmissionAttributes): Promise<void> {
  const { kind, object, old, operation } = attributes;
  if (!object) return;
  const concerned: { name: string; delta: ResourceAmounts }[] = [];
  for (const quota of quotas) {
    const { spec, metadata } = quota;
    const name = metadata?.name ?? '';
    const isIn = quotaScopesMatch(spec ?? {}, kind, object);
    if (!isIn) continue;
    if (operation === 'CREATE' && isPodWrite(attributes)) checkConstraints(name, spec?.hard ?? {}, attributes);
    const wasIn = old !== undefined && quotaScopesMatch(spec ?? {}, kind, old);
    const delta = increase(quotaUsageOf(kind, object), wasIn ? quotaUsageOf(kind, old) : {}, spec?.hard ?? {});
    if (Object.keys(delta).length) concerned.push({ name, delta });
  }
  // All are asked before one is charged, so that a refusal leaves nothing behind.
  for (const { name, delta } of concerned) {
    const quota = quotas.find(({ metadata }) => metadata?.name === name);
    if (quota) take(quota, delta, attributes);
  }
  if (attributes.dryRun) return;
  const registry = view.resources.ofKind(resourceQuotas)?.registry;
  if (!registry) return;
  for (const { name, delta } of concerned) {
    const request = { namespace: attributes.namespace, user: charger, dryRun: false, warn: () => {} };
    await chargeOne(attempt);
    async function attempt(): Promise<void> {
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
      if (!isConflict(error) || count === conflictsMax) throw error;
    }
  }
}

const isConflict = (error: unknown) => error instanceof Error && 'reason' in error && error.reason === 'Conflict';

function withUsed(live: KubeObject | undefined, delta: ResourceAmounts, attributes: AdmissionAttributes): KubeObject {
  const quota = live as ResourceQuota;
  const taken = take(quota, delta, attributes);
  quota.status = { ...quota.status, used: { ...quota.status?.used, ...taken } };
  return quota;
}

/** What would be used with `delta`. @throws StatusError Forbidden when that is too much, or not known yet */
function take(quota: ResourceQuota, delta: ResourceAmounts, attributes: AdmissionAttributes): Record<string, string> {
  const name = quota.metadata?.name ?? '';
  const { hard = {}, used = {} } = quota.status ?? {};
  const unknown = Object.keys(delta).filter((each) => used[each] === undefined || hard[each] === undefined);
  if (unknown.length) throw refuse(attributes, `status unknown for quota: ${name}, resources: ${unknown.sort().join(',')}`);
  const taken: Record<string, string> = {};
  const exceeded: string[] = [];
  for (const each in delta) {
    const sum = addQuantities(parseQuantity(used[each] as string), delta[each] as Quantity);
    taken[each] = formatQuantity(sum);
    if (compareQuantities(sum, hard[each] as string) > 0) exceeded.push(each);
  }
  if (exceeded.length === 0) return taken;
  const shown = (of: (name: string) => string) =>
    exceeded
      .sort()
      .map((each) => `${each}=${of(each)}`)
      .join(',');
  const requested = shown((each) => formatQuantity(delta[each] ?? zero));
  const present = shown((each) => used[each] ?? '0');
  const limited = shown((each) => hard[each] ?? '0');
  throw refuse(attributes, `exceeded quota: ${name}, requested: ${requested}, used: ${present}, limited: ${limited}`);
}

/** What a write uses more than before, of what the quota limits. */
function increase(usage: ResourceAmounts, before: ResourceAmounts, hard: Readonly<Record<string, string>>): ResourceAmounts {
  const delta: ResourceAmounts = {};
  for (const name in usage) {
    if (hard[name] === undefined) continue;
    const more = subtractQuantities(usage[name] as Quantity, before[name] ?? zero);
    if (more.nano > 0n) delta[name] = more;
  }
  return delta;
}

const measuredByContainer = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory'];

/** Where cpu or memory is limited, every container must say how much it takes. */
function checkConstraints(quota: string, hard: Readonly<Record<string, string>>, attributes: AdmissionAttributes): void {
  const { spec } = attributes.object as Pod;
  const missing: string[] = [];
  for (const measure of measuredByContainer) {
    if (hard[measure] === undefined) continue;
    const which = measure.startsWith('limits.') ? 'limits' : 'requests';
    const resource = measure.slice(measure.indexOf('.') + 1);
    const silent = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].filter(
      ({ resources }) => resources?.[which]?.[resource] === undefined,
    );
    if (silent.length && spec?.resources?.[which]?.[resource] === undefined)
      missing.push(
        `${measure} for: ${silent
          .map(({ name }) => name)
          .sort()
          .join(',')}`,
      );
  }
  if (missing.length) throw refuse(attributes, `failed quota: ${quota}: must specify ${missing.join('; ')}`);
}

function refuse({ kind, name }: AdmissionAttributes, why: string): StatusError {
  return forbiddenError(kind, name, why);
}
