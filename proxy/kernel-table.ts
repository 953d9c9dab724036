// What nft lists as JSON, read back as a rule set (difference.ts), so that what the kernel has can be compared with what
// it should have. Rules are known by the fingerprint in their comment; declarations by their name.

import { fingerprint, type RuleSet } from './difference.ts';
import { isDynamicSet } from './rules.ts';

interface Listed {
  chain?: { name: string; type?: string; hook?: string; prio?: number };
  rule?: { chain: string; comment?: string };
  set?: ListedSet;
  map?: ListedSet;
}

interface ListedSet {
  name: string;
  elem?: unknown[];
}

/** Rules come back as `#` and their fingerprint, declarations as `#`; `recognised` writes out those that are as desired. */
export function readRuleSet(nftables: readonly unknown[]): RuleSet {
  const rules = new Map<string, string>();
  for (const item of nftables as Listed[]) {
    if (item.chain) {
      const { name, type, hook, prio } = item.chain;
      rules.set(`chain ${name}`, hook ? `type ${type} hook ${hook} priority ${prio}` : '');
    } else if (item.rule) {
      const key = `chain ${item.rule.chain}`;
      rules.set(key, `${rules.get(key) ?? ''}\n#${item.rule.comment ?? 'foreign'}`);
    } else if (item.set || item.map) {
      const set = (item.set ?? item.map) as ListedSet;
      rules.set(`${item.set ? 'set' : 'map'} ${set.name}`, '#');
      if (isDynamicSet(set.name)) continue;
      for (const element of set.elem ?? []) {
        const [key, value] = item.map ? (element as [unknown, unknown]) : [element, undefined];
        rules.set(`element ${set.name} ${textOf(key)}`, value === undefined ? '' : textOf(value));
      }
    }
  }
  return rules;
}

/** `read` with each rule and declaration that is the one of `desired` written out as there. */
export function recognised(read: RuleSet, desired: RuleSet): RuleSet {
  const out = new Map(read);
  for (const [key, value] of read) {
    const wanted = desired.get(key);
    if (wanted === undefined) continue;
    if (value === '#') out.set(key, wanted);
    else if (key.startsWith('chain ') && value === fingerprinted(wanted)) out.set(key, wanted);
  }
  return out;
}

function fingerprinted(chain: string): string {
  const [hook, ...lines] = chain.split('\n');
  return [hook, ...lines.map((line) => `#${fingerprint(line)}`)].join('\n');
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const object = value as Record<string, unknown>;
  if (Array.isArray(object['concat'])) return object['concat'].map(textOf).join(' . ');
  const prefix = object['prefix'] as { addr: string; len: number } | undefined;
  if (prefix) return `${prefix.addr}/${prefix.len}`;
  for (const verdict of ['goto', 'jump'] as const) {
    const to = object[verdict] as { target: string } | undefined;
    if (to) return `${verdict} ${to.target}`;
  }
  const element = object['elem'] as { val: unknown } | undefined;
  if (element) return textOf(element.val);
  return JSON.stringify(value);
}
