// POST to a pod's `eviction`: a deletion that a disruption budget may refuse. Each eviction takes one of the budget's
// allowed disruptions, under optimistic locking, and names its pod in the budget's status until the controller has seen
// the pod go.

import { withCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/core.ts';
import { disruptionConditions } from '../../api/disruption-budgets.ts';
import { selectorMatches, selectorOf } from '../../api/labels.ts';
import { isPodReady, isPodTerminal } from '../../api/pods.ts';
import { type PodDisruptionBudget, podDisruptionBudgets } from '../../api/policy.ts';
import { badRequestError, forbiddenError, isStatus, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import type { ApiContext } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson } from '../negotiate/render.ts';
import { apiServerUser } from '../registry/bootstrap.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import { deleteRequest } from './delete.ts';
import { waitForNow } from './freshness.ts';
import { bodyBytesMax, contentTypeOf, type ResourceHandler, readFieldValidation, readWriteRequest, type ServerParts } from './handler.ts';
import { admitPosted } from './subresource-admission.ts';

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions;
}

const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' };
const success = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });

/** As many evictions may be under way before the controller has confirmed one. */
const disruptedPodsMax = 2000;
/** How often an eviction that others overtook is tried again. */
const attemptsMax = 20;

export const evictPod: ResourceHandler = async (ctx, served, server) => {
  const posted = readWriteRequest(ctx, 'create');
  const eviction = await readEviction(ctx);
  const validate = await admitPosted(ctx, served, server, { object: eviction, objectKind: evictionKind, request: posted });
  const { name } = ctx.state.info;
  const named = eviction.metadata?.name;
  if (named && named !== name) throw badRequestError(`name in URL does not match name in Eviction object: ${name} != ${named}`);
  await validate();
  const options = eviction.deleteOptions ?? {};
  const request = { ...deleteRequest(ctx, served, options), isAdmitted: false };
  request.dryRun ||= posted.dryRun;
  // The budgets must be as new as the caller's last write, or one just made would be overlooked.
  await waitForNow(server);
  await retryingConflicts(options, () => evict(name, { served, server, request, options }));
  return sendJson(ctx, 201, success, readAccept(ctx.req.headers.accept, false, 'all'));
};

interface Evicting {
  served: Served;
  server: ServerParts;
  request: WriteRequest;
  options: DeleteOptions;
}

async function retryingConflicts(options: DeleteOptions, attempt: () => Promise<void>): Promise<void> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isStatus(error, 'Conflict') || options.preconditions?.resourceVersion !== undefined || made === attemptsMax) throw error;
    }
  }
}

async function evict(name: string, evicting: Evicting): Promise<void> {
  const { served, server, request } = evicting;
  const pod = (await served.registry.current(request.namespace, name)).parse() as Pod;
  // A pod that has ended, has not begun or is going already is no disruption any more.
  if (isPodTerminal(pod) || pod.metadata?.deletionTimestamp) return remove(pod, evicting, false);
  if (pod.status?.phase === 'Pending') return remove(pod, evicting, true);

  const budgets = budgetsOf(pod, server);
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError('', message, { code: 500 });
  }
  const budget = budgets[0];
  if (!budget) return remove(pod, evicting, false);
  if (isCoveredThoughUnready(pod, budget)) {
    try {
      return await remove(pod, evicting, true);
    } catch (error) {
      // It may have become ready meanwhile.
      if (isStatus(error, 'Conflict') && evicting.options.preconditions?.resourceVersion === undefined) throw stillProcessing(budget);
      throw error;
    }
  }
  await takeDisruption(pod, budget, evicting);
  return remove(pod, evicting, false);
}

function budgetsOf({ metadata }: Pod, server: ServerParts): PodDisruptionBudget[] {
  const cache = server.resources.ofKind(podDisruptionBudgets)?.cache;
  const all = cache?.list({ namespace: metadata?.namespace ?? '', name: '', labels: [], fields: [] }) ?? [];
  return all
    .map((stored) => stored.parse() as PodDisruptionBudget)
    .filter(({ spec }) => {
      const selector = selectorOf(spec?.selector);
      return selector !== undefined && selector.length > 0 && selectorMatches(selector, metadata?.labels);
    });
}

/** A pod that is not ready counts for nothing, so nothing is lost with it (KEP-3017). */
function isCoveredThoughUnready(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const desired = status?.desiredHealthy ?? 0;
  return desired > 0 && (status?.currentHealthy ?? 0) >= desired;
}

async function takeDisruption(pod: Pod, budget: PodDisruptionBudget, { server, request }: Evicting): Promise<void> {
  const registry = server.resources.ofKind(podDisruptionBudgets)?.registry;
  if (!registry) return;
  const write: WriteRequest = {
    namespace: request.namespace,
    user: apiServerUser,
    dryRun: request.dryRun,
    isAdmitted: false,
    warn: () => {},
  };
  const produce = (old: KubeObject | undefined) =>
    withOneTaken(old as PodDisruptionBudget, pod.metadata?.name ?? '', timestamp(server.clock));
  await registry.update(budget.metadata?.name ?? '', write, produce, { strategy: registry.statusStrategy });
}

/** @throws StatusError TooManyRequests when the budget allows no disruption */
function withOneTaken(budget: PodDisruptionBudget, podName: string, time: string): PodDisruptionBudget {
  const { metadata, status } = budget;
  const name = metadata?.name ?? '';
  const allowed = status?.disruptionsAllowed ?? 0;
  if (!status || (status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) throw stillProcessing(budget);
  if (allowed < 0) throw forbiddenError(budgetSubject, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax) {
    throw forbiddenError(budgetSubject, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed === 0) {
    const { desiredHealthy, currentHealthy } = status;
    throw refused(`The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`);
  }
  const next = { ...status, disruptionsAllowed: allowed - 1, disruptedPods: { ...status.disruptedPods, [podName]: time } };
  if (next.disruptionsAllowed === 0) next.conditions = disruptionConditions(next, time);
  return { ...budget, status: next };
}

const budgetSubject = { group: 'policy', plural: 'poddisruptionbudget', kind: 'PodDisruptionBudget' };

function refused(cause: string, retryAfterSeconds?: number): StatusError {
  return new StatusError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    details: { causes: [{ reason: 'DisruptionBudget', message: cause }], ...(retryAfterSeconds ? { retryAfterSeconds } : {}) },
  });
}

function stillProcessing({ metadata }: PodDisruptionBudget): StatusError {
  return refused(`The disruption budget ${metadata?.name} is still being processed by the server.`, 10);
}

/** Says in the pod why it goes, and deletes it. `isExact`: only as it is now. */
async function remove(pod: Pod, { served, server, request, options }: Evicting, isExact: boolean): Promise<void> {
  const { name = '', resourceVersion = '' } = pod.metadata ?? {};
  let version = options.preconditions?.resourceVersion ?? (isExact ? resourceVersion : undefined);
  if (!request.dryRun) {
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
    const produce = (old: KubeObject | undefined): Pod => {
      const { metadata, status, ...rest } = old as Pod;
      const conditions = withCondition(status?.conditions, { ...condition, lastTransitionTime: timestamp(server.clock) });
      const asked = version === undefined ? {} : { resourceVersion: version };
      return { ...rest, metadata: { ...metadata, ...asked }, status: { ...status, conditions } };
    };
    const write = { ...request, user: apiServerUser };
    const { object } = await served.registry.update(name, write, produce, { strategy: served.registry.statusStrategy });
    if (version !== undefined) version = String(object.revision);
  }
  const preconditions = { ...options.preconditions, ...(version === undefined ? {} : { resourceVersion: version }) };
  await served.registry.delete(name, request, { ...options, preconditions });
}

async function readEviction(ctx: ApiContext): Promise<Eviction> {
  const schema = schemaOf(evictionKind.group, evictionKind.version, evictionKind.kind);
  if (!schema) throw new Error('no schema for Eviction');
  const { object } = decodeBody(await ctx.state.exchange.body(bodyBytesMax), {
    contentType: contentTypeOf(ctx),
    kind: evictionKind,
    schema,
    fieldValidation: readFieldValidation(ctx),
  });
  return object as Eviction;
}
