// What the server resets in a write anyway, so that nobody comes to manage it by that: each kind's main resource and its
// subresources write different parts of an object.

import type { Comparison } from './compare.ts';
import { below, emptySet, entryOf, type FieldSet, isEmptySet, isMember, recursiveDifference, setOfPath, union } from './field-set.ts';

/** Dotted names, in which `*` stands for any element (`spec.containers.*.resources`): these are reset, or all but these. */
export type ResetFields = readonly string[] | { readonly allBut: readonly string[] };

/** Takes out of a set what is reset. */
export type KeepFields = (set: FieldSet) => FieldSet;

const everything: KeepFields = (set) => set;
const known = new Map<string, KeepFields>();

/** There are few different lists of fields; what is made of them is kept. */
export function keeping(resets: ResetFields): KeepFields {
  const text = JSON.stringify(resets);
  let keep = known.get(text);
  if (!keep) {
    keep = keeperOf(resets);
    known.set(text, keep);
  }
  return keep;
}

function keeperOf(resets: ResetFields): KeepFields {
  if ('allBut' in resets) {
    const patterns = patternsOf(resets.allBut);
    return (set) => matching(set, patterns);
  }
  if (resets.length === 0) return everything;
  const ignored = patternsOf(resets);
  return (set) => recursiveDifference(set, ignored);
}

/** A set of the names' paths, `*` being an element of its own. */
const patternsOf = (names: readonly string[]) =>
  names.reduce<FieldSet>(
    (set, name) => union(set, setOfPath(name.split('.').map((part) => (part === '*' ? part : `f:${part}`)))),
    emptySet,
  );

/** What of a set lies on the way to a pattern's end or below it. */
function matching(set: FieldSet, patterns: FieldSet): FieldSet {
  if (isEmptySet(patterns)) return set;
  const result: Record<string, FieldSet> = {};
  for (const element in set) {
    const pattern = element === '.' ? undefined : (patterns[element] ?? patterns['*']);
    const entry = set[element];
    if (!pattern || !entry) continue;
    const kept = entryOf(isMember(entry), matching(below(entry), pattern));
    if (kept) result[element] = kept;
  }
  return result;
}

/** A comparison without what is reset. */
export function keptOf(comparison: Comparison, keep: KeepFields): Comparison {
  if (keep === everything) return comparison;
  return { added: keep(comparison.added), modified: keep(comparison.modified), removed: keep(comparison.removed) };
}
