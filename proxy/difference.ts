// What must change to get from one rule set to another, and in which order the kernel has to be told. Pure.

import type { Endpoint } from './plan.ts';

/**
 * A rule set as one flat value. Keys, and what they map to:
 * `set NAME` -> its declaration; `map NAME` -> its declaration; `chain NAME` -> a hook declaration (or '') and its rules, one a
 * line; `element SET KEY` -> the data it maps to, or '' in a set.
 */
export type RuleSet = ReadonlyMap<string, string>;

export interface Change {
  readonly key: string;
  /** undefined: it is new. */
  readonly before: string | undefined;
  /** undefined: it goes. */
  readonly after: string | undefined;
}

/** The changes that turn `current` into `desired`; none for what is equal. */
export function difference(current: RuleSet, desired: RuleSet): Change[] {
  const changes: Change[] = [];
  for (const [key, before] of current) {
    const after = desired.get(key);
    if (after !== before) changes.push({ key, before, after });
  }
  for (const [key, after] of desired) if (!current.has(key)) changes.push({ key, before: undefined, after });
  return changes;
}

/** `current` after `changes`. */
export function applied(current: RuleSet, changes: readonly Change[]): RuleSet {
  const next = new Map(current);
  for (const { key, after } of changes) {
    if (after === undefined) next.delete(key);
    else next.set(key, after);
  }
  return next;
}

/**
 * `next` in an order that leaves each endpoint that `previous` had at its place, so that one endpoint's coming or going
 * changes one or two numbered elements and not all that follow it.
 */
export function keepPlaces(previous: readonly Endpoint[], next: readonly Endpoint[]): Endpoint[] {
  const nameOf = (e: Endpoint) => `${e.address}:${e.port}`;
  const wanted = new Map(next.map((e) => [nameOf(e), e]));
  const places: (Endpoint | undefined)[] = [];
  for (let i = 0; i < next.length; i++) {
    const old = previous[i];
    const kept = old && wanted.get(nameOf(old));
    if (old && kept) wanted.delete(nameOf(old));
    places.push(kept);
  }
  const rest = wanted.values();
  return places.map((endpoint) => endpoint ?? (rest.next().value as Endpoint));
}

/**
 * `changes` as nft statements on `table` of family ip: first a transaction with what nothing refers to yet, then the one
 * that matters. A packet that is under way across a transaction sees a chain's rules of before and a map's elements of
 * after; were a chain made and referred to in one transaction, such a packet would find it empty and go untranslated.
 */
export function transactions(table: string, changes: readonly Change[]): { prepare: string[]; commit: string[] } {
  const prepare: string[] = [];
  const prepareRules: string[] = [];
  const flush: string[] = [];
  const rules: string[] = [];
  const deleteElements = new Map<string, string[]>();
  const addElements = new Map<string, string[]>();
  const undeclareChains: string[] = [];
  const undeclareSets: string[] = [];
  for (const { key, before, after } of changes) {
    const [what = '', name = '', ...rest] = key.split(' ');
    if (what === 'element') {
      const element = rest.join(' ');
      if (before !== undefined) append(deleteElements, name, element);
      if (after !== undefined) append(addElements, name, after ? `${element} : ${after}` : element);
    } else if (what === 'chain') {
      if (before !== undefined) flush.push(`flush chain ip ${table} ${name}`);
      if (after === undefined) {
        undeclareChains.push(`delete chain ip ${table} ${name}`);
        continue;
      }
      const [hook = '', ...lines] = after.split('\n');
      const isNewTarget = before === undefined && hook === '';
      const into = isNewTarget ? prepareRules : rules;
      if (isNewTarget) prepare.push(`add chain ip ${table} ${name}`);
      else if (before === undefined) flush.push(`add chain ip ${table} ${name} { ${hook}; }`);
      // A hook cannot be changed in place.
      else if (before.split('\n')[0] !== hook) {
        flush.push(`delete chain ip ${table} ${name}`, `add chain ip ${table} ${name}${hook ? ` { ${hook}; }` : ''}`);
      }
      for (const line of lines) into.push(`add rule ip ${table} ${name} ${line} comment "${fingerprint(line)}"`);
    } else {
      if (after === undefined) undeclareSets.push(`delete ${what} ip ${table} ${name}`);
      // Declarations never change under a name (rules.ts); one that is not recognised is there.
      else if (before === undefined) prepare.push(`add ${what} ip ${table} ${name} { ${after} }`);
    }
  }
  return {
    prepare: [...prepare, ...prepareRules],
    // Old chains and sets go once nothing refers to them.
    commit: [
      ...flush,
      ...rules,
      ...[...deleteElements].map(([name, elements]) => `delete element ip ${table} ${name} { ${elements.join(', ')} }`),
      ...[...addElements].map(([name, elements]) => `add element ip ${table} ${name} { ${elements.join(', ')} }`),
      ...undeclareChains,
      ...undeclareSets,
    ],
  };
}

function append(lists: Map<string, string[]>, name: string, item: string): void {
  const list = lists.get(name);
  if (list) list.push(item);
  else lists.set(name, [item]);
}

/** Names a rule by its text: kept as the rule's comment, by which it is known again when the kernel's table is read back. */
export function fingerprint(rule: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < rule.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(rule.charCodeAt(i))) * 0x100000001b3n);
  return hash.toString(36);
}
