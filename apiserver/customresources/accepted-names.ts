// Which of a definition's names are free in its group: pure.

import type { CustomResourceDefinition, CustomResourceNames } from '../../api/apiextensions.ts';
import { type Condition, conditionOf, isConditionTrue, withCondition } from '../../api/conditions.ts';
import { apiApprovalCondition } from './api-approval.ts';

/** The status that a definition should have, next to the others of its group. `now` is RFC 3339. */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): NonNullable<CustomResourceDefinition['status']> {
  const { spec, status = {} } = definition;
  const usedResources = new Set<string | undefined>();
  const usedKinds = new Set<string | undefined>();
  for (const { spec: other, status: theirs, metadata } of others) {
    if (other.group !== spec.group || metadata?.uid === definition.metadata?.uid) continue;
    const { plural, singular, shortNames = [], kind, listKind } = theirs?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) if (name) usedResources.add(name);
    for (const name of [kind, listKind]) if (name) usedKinds.add(name);
  }
  const wanted = spec.names;
  const had = status.acceptedNames ?? { plural: '', kind: '' };
  const names: CustomResourceNames = { ...had };
  let conflict: { reason: string; message: string } | undefined;
  const take = (word: 'plural' | 'singular' | 'kind' | 'listKind', used: Set<string | undefined>, reason: string) => {
    const name = wanted[word] ?? '';
    if (name !== had[word] && used.has(name)) conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    else names[word] = name;
  };
  take('plural', usedResources, 'PluralConflict');
  take('singular', usedResources, 'SingularConflict');
  const taken = (wanted.shortNames ?? []).filter((name) => !had.shortNames?.includes(name) && usedResources.has(name));
  if (taken.length > 0) {
    const list = taken.map((name) => `${JSON.stringify(name)} is already in use`);
    conflict = { reason: 'ShortNamesConflict', message: list.length === 1 ? (list[0] as string) : `[${list.join(', ')}]` };
  } else if (wanted.shortNames) names.shortNames = wanted.shortNames;
  else delete names.shortNames;
  take('kind', usedKinds, 'KindConflict');
  take('listKind', usedKinds, 'ListKindConflict');
  if (wanted.categories) names.categories = wanted.categories;
  else delete names.categories;

  const accepted: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict, lastTransitionTime: now }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found', lastTransitionTime: now };
  const established: Condition =
    conflict && !isConditionTrue(status.conditions, 'Established')
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted', lastTransitionTime: now }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
          lastTransitionTime: now,
        };
  let conditions = withCondition(status.conditions, accepted);
  if (conditionOf(conditions, 'Established')?.status !== established.status) conditions = withCondition(conditions, established);
  const approval = apiApprovalCondition(definition, now);
  if (approval) conditions = withCondition(conditions, approval);
  return { ...status, acceptedNames: names, conditions };
}
