// What one user holds in one namespace, laid out so that a decision costs the same however many bindings they have: rules
// by verb, group and resource, with those that hold a wildcard apart. Built when first asked for, forgotten when anything
// about roles or bindings changes.

import type { PolicyRule } from '../../../api/rbac.ts';
import type { UserInfo } from '../../resources/resource.ts';
import type { AuthorizationAttributes } from '../authorizer.ts';
import type { Grant, IndexedBinding, RbacIndex } from './rbac-index.ts';
import { ruleAllows } from './rules.ts';

interface Held {
  /** Its place among all: of several that allow, the first is named. */
  order: number;
  rule: PolicyRule;
  grant: Grant;
}

interface SubjectRules {
  exact: Map<string, Held[]>;
  wild: Held[];
  /** Roles that are bound and not there. */
  missing: readonly IndexedBinding['roleRef'][];
}

const subjectsMax = 2048;
const none: readonly Held[] = [];

export class SubjectRulesCache {
  readonly #index: RbacIndex;
  readonly #known = new Map<string, SubjectRules>();
  #generation = -1;

  constructor(index: RbacIndex) {
    this.#index = index;
  }

  /** The grant that allows what is asked for, by bindings of `namespace` ('' for cluster role bindings). */
  find(asked: AuthorizationAttributes, namespace: string): { grant: Grant | undefined; missing: SubjectRules['missing'] } {
    const rules = this.#rulesOf(asked.user, namespace);
    const exact = asked.isResourceRequest ? (rules.exact.get(keyOf(asked)) ?? none) : none;
    const named = exact.find(({ rule }) => ruleAllows(rule, asked));
    const wild = rules.wild.find(({ order, rule }) => (!named || order < named.order) && ruleAllows(rule, asked));
    return { grant: (wild ?? named)?.grant, missing: rules.missing };
  }

  #rulesOf(user: UserInfo, namespace: string): SubjectRules {
    if (this.#generation !== this.#index.generation) {
      this.#known.clear();
      this.#generation = this.#index.generation;
    }
    // Unambiguous: names may hold any character.
    const key = JSON.stringify([namespace, user.name, user.groups]);
    const known = this.#known.get(key);
    if (known) return known;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= subjectsMax && oldest !== undefined) this.#known.delete(oldest);
    const built = this.#build(user, namespace);
    this.#known.set(key, built);
    return built;
  }

  #build(user: UserInfo, namespace: string): SubjectRules {
    const exact = new Map<string, Held[]>();
    const wild: Held[] = [];
    const missing: IndexedBinding['roleRef'][] = [];
    let order = 0;
    for (const grant of this.#index.grantsOf(user, namespace)) {
      const rules = this.#index.rulesOf(grant.binding.roleRef, namespace);
      if (!rules) missing.push(grant.binding.roleRef);
      for (const rule of rules ?? []) {
        const held = { order: order++, rule, grant };
        if (isWild(rule)) wild.push(held);
        else for (const key of keysOf(rule)) append(exact, key, held);
      }
    }
    return { exact, wild, missing };
  }
}

const keyOf = ({ verb, group, resource, subresource }: AuthorizationAttributes) =>
  `${verb} ${group} ${subresource === '' ? resource : `${resource}/${subresource}`}`;

/** Rules that no key can stand for: with a wildcard, or for paths. */
function isWild({ verbs, apiGroups = [], resources = [], nonResourceURLs = [] }: PolicyRule): boolean {
  return nonResourceURLs.length > 0 || [...verbs, ...apiGroups, ...resources].some((each) => each.includes('*'));
}

function* keysOf({ verbs, apiGroups = [], resources = [] }: PolicyRule): Generator<string> {
  for (const verb of new Set(verbs))
    for (const group of new Set(apiGroups)) for (const resource of new Set(resources)) yield `${verb} ${group} ${resource}`;
}

function append(exact: Map<string, Held[]>, key: string, held: Held): void {
  const found = exact.get(key);
  if (found) found.push(held);
  else exact.set(key, [held]);
}
