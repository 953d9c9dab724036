// What of a pod security level a pod breaks, by the level as it stood in a version.

import type { Pod } from '../../../api/core.ts';
import { baselineChecks } from './baseline.ts';
import type { CheckPod, Violation } from './check.ts';
import type { Level, LevelVersion } from './policy.ts';
import { restrictedChecks } from './restricted.ts';

/** The minor version whose standards are the latest here. */
export const latestMinor = 36;

const memo = new Map<string, readonly CheckPod[]>();

/** Baseline's first, those left out that a check of the restricted level stands in for. */
function checksOf(level: Exclude<Level, 'privileged'>, minor: number): readonly CheckPod[] {
  const id = `${level} ${minor}`;
  const known = memo.get(id);
  if (known) return known;
  const checks = level === 'baseline' ? baselineChecks : [...baselineChecks, ...restrictedChecks];
  const current = checks.flatMap((check) => {
    const version = check.versions.findLast(({ since }) => since <= minor);
    return version ? [{ ...version, id: check.id }] : [];
  });
  const overridden = new Set(current.flatMap(({ overrides = [] }) => overrides));
  const chosen = current.filter((each) => !overridden.has(each.id)).map(({ check }) => check);
  memo.set(id, chosen);
  return chosen;
}

/** A version that is still to come counts as the latest. */
export function podSecurityViolations({ level, minor }: LevelVersion, { metadata, spec }: Pod): Violation[] {
  if (!spec || level === 'privileged') return [];
  const annotations = metadata?.annotations ?? {};
  return checksOf(level, Math.min(minor, latestMinor)).flatMap((check) => check(spec, annotations) ?? []);
}
