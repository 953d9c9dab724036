// What /healthz, /livez and /readyz look at: the server's parts, and the steps of its start under Kubernetes' names for them.

import type { Store } from '../store/store.ts';
import type { StoreFeed } from './cache/store-feed.ts';
import type { HealthCheck } from './handlers/health.ts';

/** Steps of a start, in the order in which they end. */
const startSteps = [
  'crd-informer-synced',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'priority-and-fairness-config-consumer',
  'rbac/bootstrap-roles',
  'apiservice-registration-controller',
] as const;
export type StartStep = (typeof startSteps)[number];

export interface HealthChecksOptions {
  store: Pick<Store, 'currentRevision'>;
  feed: Pick<StoreFeed, 'isSynced' | 'unreadablePrefixes'>;
  isShuttingDown(): boolean;
  others: readonly HealthCheck[];
}

export class HealthChecks {
  readonly #finished = new Set<StartStep>();
  readonly all: readonly HealthCheck[];

  constructor({ store, feed, isShuttingDown, others }: HealthChecksOptions) {
    const etcdProblem = () => store.currentRevision().then(() => undefined, String);
    this.all = [
      { name: 'ping', problem: () => undefined },
      { name: 'log', problem: () => undefined },
      { name: 'etcd', problem: etcdProblem },
      { name: 'etcd-readiness', isReadinessOnly: true, problem: etcdProblem },
      { name: 'informer-sync', isReadinessOnly: true, problem: () => feedProblem(feed) },
      ...startSteps.map((step) => ({
        name: `poststarthook/${step}`,
        problem: () => (this.#finished.has(step) ? undefined : 'not finished'),
      })),
      ...others,
      { name: 'shutdown', isReadinessOnly: true, problem: () => (isShuttingDown() ? 'process is shutting down' : undefined) },
    ];
  }

  finished(step: StartStep): void {
    this.#finished.add(step);
  }
}

function feedProblem({ isSynced, unreadablePrefixes }: HealthChecksOptions['feed']): string | undefined {
  if (!isSynced) return 'the caches are not filled';
  return unreadablePrefixes.length > 0 ? `what is stored cannot be read: ${unreadablePrefixes.join(', ')}` : undefined;
}
