// What may be had only where a quota covers it: limitedResources of the quota plug-in's configuration
// (k8s.io/apiserver/pkg/admission/plugin/resourcequota).

import type { ResourceQuota } from '../../api/core.ts';
import { type FieldError, required } from '../../api/field-error.ts';
import type { ResourceAmounts } from '../../api/pods.ts';
import type { Quantity } from '../../api/quantity.ts';
import { isInScope, isMeasureOf, type QuotaScope, quotaScopesOf } from '../../api/quota-usage.ts';
import { type AdmissionAttributes, plainError, refusal } from './admission.ts';
import type { PluginConfiguration } from './configuration/admission-configuration.ts';
import { configurationProblem } from './configuration/configuration-problem.ts';
import { strictObject } from './configuration/strict-object.ts';

export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource: string;
  /** Parts of the names of what a quota has to cover. */
  readonly matchContains?: readonly string[];
  /** Scopes that a quota has to cover. */
  readonly matchScopes?: readonly QuotaScope[];
}

const limit = {
  apiGroup: 'string',
  resource: 'string',
  matchContains: ['string'],
  matchScopes: [{ scopeName: 'string', operator: 'string', values: ['string'] }],
} as const;
const shape = { limitedResources: [limit] } as const;
const current = { kind: 'ResourceQuotaConfiguration', group: 'apiserver.config.k8s.io', versions: ['v1'], shape } as const;
const old = { kind: 'Configuration', group: 'resourcequota.admission.k8s.io', versions: ['v1beta1', 'v1alpha1'], shape } as const;

/** @throws AdmissionConfigurationError */
export function readLimitedResources(configuration?: PluginConfiguration): readonly LimitedResource[] {
  if (!configuration) return [];
  const { value } = configuration;
  const isOld = typeof value === 'object' && value !== null && 'kind' in value && value.kind === old.kind;
  const { limitedResources } = strictObject(value, isOld ? old : current) as { limitedResources?: Partial<LimitedResource>[] };
  const errors: FieldError[] = [];
  const limited = (limitedResources ?? []).map(({ resource = '', ...rest }, index) => {
    if (!resource) errors.push(required(`limitedResources[${index}].resource`));
    return { resource, ...rest };
  });
  if (errors.length) throw configurationProblem(errors);
  return limited;
}

export interface Consumption {
  /** The namespace's quotas. */
  all: readonly ResourceQuota[];
  /** Those that the object counts in. */
  covered: readonly ResourceQuota[];
  usage: ResourceAmounts;
  /** What it uses more than before; of something that uses no more nothing is asked. */
  delta: ResourceAmounts;
  attributes: AdmissionAttributes;
}

/** @throws StatusError when something is limited by default and no quota covers it */
export function checkLimited(limited: readonly LimitedResource[], { all, covered, usage, delta, attributes }: Consumption): void {
  const { kind, object } = attributes;
  if (limited.length === 0 || !object || Object.keys(delta).length === 0) return;
  const own = limited.filter(({ apiGroup = '', resource }) => apiGroup === kind.group && resource === kind.plural);
  const names = Object.keys(usage).filter(
    (name) =>
      (usage[name] as Quantity).nano > 0n && own.some(({ matchContains }) => matchContains?.some((part) => name.includes(part)) ?? false),
  );
  const restricted = new Set(covered.flatMap(({ status }) => Object.keys(status?.hard ?? {}).filter((name) => isMeasureOf(kind, name))));
  const uncovered = names.filter((name) => !restricted.has(name)).sort();
  if (uncovered.length) throw refusal(attributes, `insufficient quota to consume: ${uncovered.join(',')}`);

  const isIn = (scope: QuotaScope) => isInScope(scope, kind, object);
  const wanted = limited.flatMap(({ matchScopes }) => (matchScopes ?? []).filter(isIn));
  const scopes = new Set(all.flatMap(({ spec }) => quotaScopesOf(spec ?? {}).filter(isIn)).map(({ scopeName }) => scopeName));
  const missing = wanted.filter(({ scopeName }) => !scopes.has(scopeName));
  if (missing.length) throw plainError(`insufficient quota to match these scopes: [${missing.map(scopeText).join(' ')}]`);
}

/** As Go prints it: `{PriorityClass In [cluster-services]}` */
const scopeText = ({ scopeName, operator, values = [] }: QuotaScope) => `{${scopeName} ${operator} [${values.join(' ')}]}`;
