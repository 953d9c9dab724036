// What a change to an object does to the managers of its fields: the one who makes it takes what it changes from all
// others, or, when it may not, hears who manages it.

import type { StatusCause } from '../../api/status.ts';
import { StatusError } from '../../api/status.ts';
import type { Comparison } from './compare.ts';
import { difference, emptySet, intersection, isEmptySet, pathsOf, pathText, union } from './field-set.ts';
import type { Comparisons } from './kind-versions.ts';
import { type Managers, setFields } from './managed-fields.ts';

/** Fields that others manage and this change would alter. */
export interface Conflict {
  managerKey: string;
  path: string[];
}

/** What others manage of what a change changed, sorted by manager. */
export function conflictsOf(managers: Managers, self: string, comparisons: Comparisons): Conflict[] {
  const keys = [...managers.keys()].filter((key) => key !== self).sort();
  return keys.flatMap((key) => {
    const { fields, apiVersion } = managers.get(key)!;
    return pathsOf(intersection(fields, changedIn(comparisons.get(apiVersion)))).map((path) => ({ managerKey: key, path }));
  });
}

const changedIn = (comparison: Comparison | undefined) => (comparison ? union(comparison.modified, comparison.added) : emptySet);

/** Takes from all but `self` what was modified, added or removed, each in its own version. Mutates `managers`. */
export function takeOver(managers: Managers, self: string, comparisons: Comparisons): void {
  for (const [key, manager] of [...managers]) {
    const comparison = comparisons.get(manager.apiVersion);
    if (key === self || !comparison) continue;
    const changed = changedIn(comparison);
    const taken = isEmptySet(changed) ? emptySet : intersection(manager.fields, changed);
    const left = isEmptySet(taken) ? manager.fields : difference(manager.fields, taken);
    setFields(managers, key, difference(left, comparison.removed));
  }
}

/** 409 with each conflict as a cause. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes: StatusCause[] = conflicts.map(({ managerKey, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(managerKey)}`,
    field: pathText(path),
  }));
  return new StatusError('Conflict', conflictMessage(conflicts), { details: { causes } });
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first && conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${managerText(first.managerKey)}: ${pathText(first.path)}`;
  const lines: string[] = [];
  for (const [key, ofManager] of Map.groupBy(conflicts, (conflict) => conflict.managerKey)) {
    lines.push(`conflicts with ${managerText(key)}:`, ...ofManager.map(({ path }) => `- ${pathText(path)}`));
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

/** `"kubectl" with subresource "status" using apps/v1` */
function managerText(key: string): string {
  const { manager, subresource, operation, apiVersion } = JSON.parse(key) as Record<string, string | undefined>;
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
