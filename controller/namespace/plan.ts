// What the emptying of a namespace has come to, as its conditions tell it; the words are those of
// k8s.io/kubernetes/pkg/controller/namespace/deletion.

import { type Condition, withCondition } from '../../api/conditions.ts';
import type { Namespace, Pod } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';

type NamespaceCondition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

export interface Remaining {
  kind: Kind;
  objects: readonly KubeObject[];
}

export interface Progress {
  /** Group versions whose kinds could not be discovered. */
  stale: readonly string[];
  deleteErrors: readonly string[];
  remaining: readonly Remaining[];
}

export function isEmptied({ stale, deleteErrors, remaining }: Progress): boolean {
  return stale.length === 0 && deleteErrors.length === 0 && remaining.every(({ objects }) => objects.length === 0);
}

const staleText = (stale: readonly string[]) =>
  [...stale]
    .sort()
    .map((version) => `${version}: stale GroupVersion discovery: ${version}`)
    .join(', ');

export function deletionConditions(
  current: readonly NamespaceCondition[] | undefined,
  { stale, deleteErrors, remaining }: Progress,
  now: string,
): NamespaceCondition[] {
  const left = remaining.filter(({ objects }) => objects.length > 0);
  const finalizers = new Map<string, number>();
  for (const { objects } of left) {
    for (const { metadata } of objects)
      for (const name of metadata?.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  }
  const resourcesLeft = left.map(({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`).sort();
  const finalizersLeft = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const failed = [...deleteErrors].sort().join(', ');
  const told: Told[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      bad: stale.length
        ? {
            reason: 'DiscoveryFailed',
            message: `Discovery failed for some groups, ${stale.length} failing: unable to retrieve the complete list of server APIs: ${staleText(stale)}`,
          }
        : undefined,
      good: { reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      bad: undefined,
      good: { reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
    },
    {
      type: 'NamespaceDeletionContentFailure',
      bad: failed
        ? { reason: 'ContentDeletionFailed', message: `Failed to delete all resource types, ${deleteErrors.length} remaining: ${failed}` }
        : undefined,
      good: { reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
    },
    {
      type: 'NamespaceContentRemaining',
      bad: resourcesLeft.length
        ? { reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${resourcesLeft.join(', ')}` }
        : undefined,
      good: { reason: 'ContentRemoved', message: 'All content successfully removed' },
    },
    {
      type: 'NamespaceFinalizersRemaining',
      bad: finalizersLeft.length
        ? {
            reason: 'SomeFinalizersRemain',
            message: `Some content in the namespace has finalizers remaining: ${finalizersLeft.join(', ')}`,
          }
        : undefined,
      good: { reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
    },
  ];
  let conditions = [...(current ?? [])];
  for (const { type, bad, good } of told) {
    conditions = withCondition<NamespaceCondition>(conditions, {
      type,
      status: bad ? 'True' : 'False',
      ...(bad ?? good),
      lastTransitionTime: now,
    });
  }
  return conditions;
}

interface Told {
  type: string;
  bad: Pick<Condition, 'reason' | 'message'> | undefined;
  good: Pick<Condition, 'reason' | 'message'>;
}

/** How long an object with finalizers, or one that tells nothing, is taken to need. */
const finalizerSeconds = 15;

/** How soon another look is worth while: half of what the slowest remaining object may need, and a second. */
export function nextLookSeconds(remaining: readonly Remaining[]): number {
  let seconds = 0;
  for (const { kind, objects } of remaining) {
    for (const object of objects) {
      const grace =
        kind.kind === 'Pod' ? ((object as Pod).spec?.terminationGracePeriodSeconds ?? object.metadata?.deletionGracePeriodSeconds ?? 0) : 0;
      seconds = Math.max(seconds, grace, object.metadata?.finalizers?.length ? finalizerSeconds : 0);
    }
  }
  return Math.floor(seconds / 2) + 1;
}
