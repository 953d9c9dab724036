// The rules of where a pod may run: affinities, node selectors, tolerations, topology spread, scheduling gates.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import type { LabelSelector } from '../../api/labels.ts';
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../../api/pod-parts.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, labelValueProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';

/** Adds the problem of a label key. */
export function labelNameErrors(key: string, at: string, errors: FieldError[]): void {
  for (const problem of qualifiedNameProblems(key)) errors.push(invalid(at, key, problem));
}

export function affinityErrors(affinity: Affinity | undefined, at: string, errors: FieldError[]): void {
  if (!affinity) return;
  if (affinity.nodeAffinity) nodeAffinityErrors(affinity.nodeAffinity, `${at}.nodeAffinity`, errors);
  for (const which of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = affinity[which];
    if (!terms) continue;
    eachAt(
      terms.requiredDuringSchedulingIgnoredDuringExecution,
      `${at}.${which}.requiredDuringSchedulingIgnoredDuringExecution`,
      (term, each) => podAffinityTermErrors(term, each, errors),
    );
    eachAt(
      terms.preferredDuringSchedulingIgnoredDuringExecution,
      `${at}.${which}.preferredDuringSchedulingIgnoredDuringExecution`,
      ({ weight, podAffinityTerm }, each) => {
        weightErrors(weight, each, errors);
        podAffinityTermErrors(podAffinityTerm ?? { topologyKey: '' }, `${each}.podAffinityTerm`, errors);
      },
    );
  }
}

function weightErrors(weight: number | undefined, at: string, errors: FieldError[]): void {
  if (!weight || weight < 0 || weight > 100) errors.push(invalid(`${at}.weight`, weight ?? 0, 'must be in the range 1-100'));
}

function nodeAffinityErrors(affinity: NodeAffinity, at: string, errors: FieldError[]): void {
  const demanded = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (demanded) nodeSelectorErrors(demanded, `${at}.requiredDuringSchedulingIgnoredDuringExecution`, errors);
  eachAt(
    affinity.preferredDuringSchedulingIgnoredDuringExecution,
    `${at}.preferredDuringSchedulingIgnoredDuringExecution`,
    ({ weight, preference }, each) => {
      weightErrors(weight, each, errors);
      if (preference) nodeSelectorTermErrors(preference, `${each}.preference`, errors, false);
    },
  );
}

/** Adds the problems of a node selector, as in required node affinity and volumes' node affinity. */
export function nodeSelectorErrors(selector: NodeSelector, at: string, errors: FieldError[]): void {
  if (!selector.nodeSelectorTerms?.length) errors.push(required(`${at}.nodeSelectorTerms`, 'must have at least one node selector term'));
  eachAt(selector.nodeSelectorTerms, `${at}.nodeSelectorTerms`, (term, each) => nodeSelectorTermErrors(term, each, errors, true));
}

function nodeSelectorTermErrors(term: NodeSelectorTerm, at: string, errors: FieldError[], checksValues: boolean): void {
  eachAt(term.matchExpressions, `${at}.matchExpressions`, (each, path) => requirementErrors(each, path, errors, checksValues));
  eachAt(term.matchFields, `${at}.matchFields`, (each, path) => fieldRequirementErrors(each, path, errors));
}

function requirementErrors(requirement: NodeSelectorRequirement, at: string, errors: FieldError[], checksValues: boolean): void {
  const { key = '', operator = '', values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  labelNameErrors(key, `${at}.key`, errors);
  if (!checksValues) return;
  eachAt(values, `${at}.values`, (value, each) => {
    for (const problem of labelValueProblems(value)) errors.push(invalid(each, value, problem));
  });
}

function fieldRequirementErrors({ key = '', operator = '', values = [] }: NodeSelectorRequirement, at: string, errors: FieldError[]): void {
  if (operator !== 'In' && operator !== 'NotIn') errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  else if (values.length !== 1)
    errors.push(required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  if (key !== 'metadata.name') errors.push(invalid(`${at}.key`, key, 'not a valid field selector key'));
  else
    eachAt(values, `${at}.values`, (value, each) => {
      for (const problem of dns1123SubdomainProblems(value)) errors.push(invalid(each, value, problem));
    });
}

function podAffinityTermErrors(term: PodAffinityTerm, at: string, errors: FieldError[]): void {
  labelSelectorErrors(term.labelSelector, `${at}.labelSelector`, errors);
  labelSelectorErrors(term.namespaceSelector, `${at}.namespaceSelector`, errors);
  for (const name of term.namespaces ?? [])
    for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${at}.namespace`, name, problem));
  affinityKeysErrors(term, at, errors);
  if (!term.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
  labelNameErrors(term.topologyKey ?? '', `${at}.topologyKey`, errors);
}

function affinityKeysErrors(term: PodAffinityTerm, at: string, errors: FieldError[]): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  for (const [name, keys] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (keys.length === 0) continue;
    if (!labelSelector) errors.push(forbidden(`${at}.${name}`, 'must not be specified when labelSelector is not set'));
    else eachAt(keys, `${at}.${name}`, (key, each) => labelNameErrors(key, each, errors));
  }
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.indexOf(key);
    if (index !== -1 && seen.has(key)) errors.push(invalid(`${at}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    seen.add(key);
  }
  eachAt(matchLabelKeys, `${at}.matchLabelKeys`, (key, each) => {
    if (mismatchLabelKeys.includes(key)) errors.push(invalid(each, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  });
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Adds the problem of a taint's effect; a toleration's may be empty. */
export function taintEffectErrors(effect: string, at: string, errors: FieldError[]): void {
  if (!effect) errors.push(required(at));
  else if (!effects.includes(effect)) errors.push(notSupported(at, effect, effects));
}

export function tolerationsErrors(tolerations: readonly Toleration[] | undefined, at: string, errors: FieldError[]): void {
  eachAt(tolerations, at, ({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, each) => {
    if (key) labelNameErrors(key, `${each}.key`, errors);
    else if (operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(`${each}.operator`, operator, why));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      errors.push(invalid(`${each}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') {
      const problems = labelValueProblems(value);
      if (problems.length) errors.push(invalid(`${each}.operator`, value, problems.join(';')));
    } else if (operator === 'Exists') {
      if (value) errors.push(invalid(`${each}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else errors.push(notSupported(`${each}.operator`, operator, ['Equal', 'Exists']));
    if (effect) taintEffectErrors(effect, `${each}.effect`, errors);
  });
}

export function topologySpreadErrors(constraints: readonly TopologySpreadConstraint[] | undefined, at: string, errors: FieldError[]): void {
  eachAt(constraints, at, (constraint, each, index) => {
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
    if (maxSkew <= 0) errors.push(invalid(`${each}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (!topologyKey) errors.push(required(`${each}.topologyKey`, 'can not be empty'));
    const actions = ['DoNotSchedule', 'ScheduleAnyway'];
    if (!actions.includes(whenUnsatisfiable)) errors.push(notSupported(`${each}.whenUnsatisfiable`, whenUnsatisfiable, actions));
    const isRepeated = constraints
      ?.slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) errors.push(duplicate(`${each}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(`${each}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalid(`${each}.minDomains`, minDomains, why));
      }
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[field];
      if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore')
        errors.push(notSupported(`${each}.${field}`, policy, ['Honor', 'Ignore']));
    }
    spreadKeysErrors(constraint.matchLabelKeys, constraint.labelSelector, `${each}.matchLabelKeys`, errors);
    labelSelectorErrors(constraint.labelSelector, `${each}.labelSelector`, errors);
  });
}

function spreadKeysErrors(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  at: string,
  errors: FieldError[],
): void {
  if (!keys?.length) return;
  if (!selector) errors.push(forbidden(at, 'must not be specified when labelSelector is not set'));
  const used = new Set([...Object.keys(selector?.matchLabels ?? {}), ...(selector?.matchExpressions ?? []).map(({ key }) => key)]);
  eachAt(keys, at, (key, each) => {
    labelNameErrors(key, each, errors);
    if (used.has(key)) errors.push(invalid(each, key, 'exists in both matchLabelKeys and labelSelector'));
  });
}

export function schedulingGatesErrors(gates: readonly { name: string }[] | undefined, at: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  eachAt(gates, at, ({ name = '' }, each) => {
    labelNameErrors(name, each, errors);
    if (seen.has(name)) errors.push(duplicate(each, name));
    seen.add(name);
  });
}

/** What may change in the node affinity of a pod that is still gated: requirements may be added, nothing else. */
export function nodeAffinityMutationErrors(
  affinity: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
  at: string,
  errors: FieldError[],
): void {
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const path = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (oldTerms.length === 0) return;
  if (oldTerms.length !== terms.length) {
    errors.push(invalid(path, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
    return;
  }
  eachAt(terms, path, (term, each, i) => {
    const oldTerm = oldTerms[i] as NodeSelectorTerm;
    const isEmpty = !oldTerm.matchExpressions?.length && !oldTerm.matchFields?.length;
    const grows = (['matchExpressions', 'matchFields'] as const).every((field) => {
      const before = oldTerm[field] ?? [];
      const after = term[field] ?? [];
      return isEmpty ? after.length === 0 : semanticEqual(after.slice(0, before.length), before);
    });
    if (!grows) errors.push(invalid(each, term, 'only additions are allowed (no mutations or deletions)'));
  });
}
