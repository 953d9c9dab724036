// The API services of what is served here itself: made, kept as they should be, and taken away when what they stand for has
// gone (k8s.io/kube-aggregator/pkg/controllers/autoregister). Which group versions those are, callers know.

import type { ApiService } from '../../api/apiregistration.ts';
import { isStatus, type StatusReason } from '../../api/status.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { Registry, WriteRequest } from '../registry/registry.ts';

const automanaged = 'kube-aggregator.kubernetes.io/automanaged';

/** `onstart`: kept only when the server starts, so that its operator may change them after; `true`: always. */
export type Management = 'onstart' | 'true';

/** What is to be done so that `current` holds `desired`. Those that nobody manages any more, or another kind of management, are left alone. */
export function planApiServices(
  current: readonly ApiService[],
  desired: readonly ApiService[],
  management: Management,
): { create: ApiService[]; update: ApiService[]; remove: ApiService[] } {
  const wanted = new Map(desired.map((service) => [nameOf(service), service]));
  const there = new Map(current.map((service) => [nameOf(service), service]));
  const managedBy = ({ metadata }: ApiService) => metadata?.labels?.[automanaged];
  return {
    create: desired.filter((service) => !there.has(nameOf(service))),
    update: current.flatMap((service) => {
      const target = wanted.get(nameOf(service));
      const isManaged = managedBy(service) === 'true' || managedBy(service) === 'onstart';
      return target && isManaged && !semanticEqual(service.spec, target.spec) ? [{ ...service, spec: target.spec as object }] : [];
    }) as ApiService[],
    remove: current.filter((service) => managedBy(service) === management && !wanted.has(nameOf(service))),
  };
}

/** Carries out what `planApiServices` finds. Who has changed one meanwhile is looked at the next time. */
export async function registerApiServices(
  registry: Registry,
  current: readonly ApiService[],
  { desired, management, request }: { desired: readonly ApiService[]; management: Management; request: WriteRequest },
): Promise<void> {
  const { create, update, remove } = planApiServices(current, desired, management);
  for (const service of create) {
    const metadata = { ...service.metadata, labels: { ...service.metadata?.labels, [automanaged]: management } };
    await registry.create({ ...service, metadata }, request).catch(unless('AlreadyExists'));
  }
  for (const service of update)
    await registry
      .update(nameOf(service), request, () => structuredClone(service), { isReplacement: true })
      .catch(unless('NotFound', 'Conflict'));
  for (const { metadata } of remove) {
    const preconditions = metadata?.uid ? { uid: metadata.uid } : {};
    await registry.delete(metadata?.name ?? '', request, { preconditions }).catch(unless('NotFound', 'Conflict'));
  }
}

const nameOf = ({ metadata }: ApiService) => metadata?.name ?? '';

function unless(...reasons: StatusReason[]): (error: unknown) => void {
  return (error) => {
    if (!isStatus(error, ...reasons)) throw error;
  };
}
