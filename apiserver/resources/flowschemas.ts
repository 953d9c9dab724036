// Flow schemas: which requests go to which priority level.

import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { type FlowSchema, flowSchemas } from '../../api/flowcontrol.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { mandatoryFlowSchemas } from './flowcontrol-bootstrap.ts';
import { bumpGeneration, keep, keepMetadata, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

type Rule = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = Rule['subjects'][number];

const precedenceMax = 10_000;
const knownVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjectFields = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;
const subjectKinds = ['Group', 'ServiceAccount', 'User'] as const;

function subjectErrors(subject: Subject, at: string, errors: FieldError[]): void {
  const kind = subjectKinds.find((each) => each === subject.kind);
  if (!kind) {
    errors.push(notSupported(`${at}.kind`, subject.kind, subjectKinds));
    return;
  }
  const field = subjectFields[kind];
  const named = subject[field];
  if (!named) errors.push(required(`${at}.${field}`, `${field} is required when subject kind is '${kind}'`));
  else if (!named.name) errors.push(required(`${at}.${field}.name`));
  const account = kind === 'ServiceAccount' ? subject.serviceAccount : undefined;
  if (account) {
    if (account.name && account.name !== '*')
      for (const problem of dns1123SubdomainProblems(account.name)) errors.push(invalid(`${at}.${field}.name`, account.name, problem));
    if (!account.namespace) errors.push(required(`${at}.${field}.namespace`, 'must specify namespace for service account'));
    else
      for (const problem of dns1123LabelProblems(account.namespace))
        errors.push(invalid(`${at}.${field}.namespace`, account.namespace, problem));
  }
  for (const other of subjectKinds)
    if (other !== kind && subject[subjectFields[other]])
      errors.push(forbidden(`${at}.${subjectFields[other]}`, `${subjectFields[other]} is forbidden when subject kind is not '${other}'`));
}

/** Adds the problems of a list that may hold `*`, but then nothing else. */
function wildcardErrors(
  list: readonly string[] | undefined,
  at: string,
  words: { empty: string; others: string },
  errors: FieldError[],
): void {
  if (!list?.length) errors.push(required(at, words.empty));
  else if (list.length > 1 && list.includes('*'))
    errors.push(invalid(at, list, `if '*' is present, must not specify other ${words.others}`));
}

function verbsErrors(verbs: readonly string[] | undefined, at: string, errors: FieldError[]): void {
  wildcardErrors(verbs, at, { empty: 'verbs must contain at least one value', others: 'verbs' }, errors);
  if (verbs && !verbs.includes('*') && verbs.some((verb) => !knownVerbs.includes(verb))) errors.push(notSupported(at, verbs, knownVerbs));
}

function urlErrors(url: string, at: string, errors: FieldError[]): void {
  if (url === '') errors.push(invalid(at, url, 'must not be empty'));
  else if (url === '/') return;
  else if (!url.startsWith('/')) errors.push(invalid(at, url, 'must start with slash'));
  else if (url.includes(' ')) errors.push(invalid(at, url, 'must not contain white-space'));
  else if (url.includes('//')) errors.push(invalid(at, url, 'must not contain double slash'));
  else if (/\*/.test(url.replace(/\/\*$/, ''))) errors.push(invalid(at, url, 'wildcard can only do suffix matching'));
}

function ruleErrors(rule: Rule, at: string, errors: FieldError[]): void {
  if (!rule.subjects?.length) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
  eachAt(rule.subjects, `${at}.subjects`, (subject, each) => subjectErrors(subject, each, errors));
  if (!rule.resourceRules?.length && !rule.nonResourceRules?.length)
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  eachAt(rule.resourceRules, `${at}.resourceRules`, (each, where) => {
    verbsErrors(each.verbs, `${where}.verbs`, errors);
    const groups = { empty: 'resource rules must supply at least one api group', others: 'api groups' };
    wildcardErrors(each.apiGroups, `${where}.apiGroups`, groups, errors);
    const resources = { empty: 'resource rules must supply at least one resource', others: 'resources' };
    wildcardErrors(each.resources, `${where}.resources`, resources, errors);
    const namespaces = each.namespaces ?? [];
    if (namespaces.length === 0 && !each.clusterScope)
      errors.push(required(`${where}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'));
    else if (namespaces.includes('*')) {
      if (namespaces.length > 1)
        errors.push(invalid(`${where}.namespaces`, namespaces, "if '*' is present, must not specify other namespaces"));
    } else
      eachAt(namespaces, `${where}.namespaces`, (namespace, name) => {
        for (const problem of dns1123LabelProblems(namespace))
          errors.push(invalid(name, namespace, `each member of this list must be '*' or a DNS-1123 label; ${problem}`));
      });
  });
  eachAt(rule.nonResourceRules, `${at}.nonResourceRules`, (each, where) => {
    verbsErrors(each.verbs, `${where}.verbs`, errors);
    const urls = { empty: 'nonResourceURLs must contain at least one value', others: 'non-resource URLs' };
    wildcardErrors(each.nonResourceURLs, `${where}.nonResourceURLs`, urls, errors);
    if (!each.nonResourceURLs?.includes('*'))
      eachAt(each.nonResourceURLs, `${where}.nonResourceURLs`, (url, name) => urlErrors(url, name, errors));
  });
}

export function validateFlowSchema({ metadata, spec }: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  const name = metadata?.name ?? '';
  const precedence = spec?.matchingPrecedence ?? 0;
  const at = 'spec.matchingPrecedence';
  if (precedence <= 0) errors.push(invalid(at, precedence, 'must be a positive value'));
  if (precedence > precedenceMax) errors.push(invalid(at, precedence, `must not be greater than ${precedenceMax}`));
  if (precedence === 1 && name !== 'exempt')
    errors.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const method = spec?.distinguisherMethod;
  if (method && method.type !== 'ByNamespace' && method.type !== 'ByUser')
    errors.push(notSupported('spec.distinguisherMethod.type', method, ['ByNamespace', 'ByUser']));
  const level = spec?.priorityLevelConfiguration?.name;
  const levelAt = 'spec.priorityLevelConfiguration.name';
  if (!level) errors.push(required(levelAt, 'must reference a priority level'));
  else for (const problem of dns1123SubdomainProblems(level)) errors.push(invalid(levelAt, level, problem));
  eachAt(spec?.rules, 'spec.rules', (rule, where) => ruleErrors(rule, where, errors));
  const mandatory = mandatoryFlowSchemas.find((schema) => schema.metadata?.name === name);
  if (mandatory && !semanticEqual(spec, mandatory.spec)) errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  return errors;
}

export const flowSchemaResource = serve(flowSchemas, {
  defaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= 1000;
  },
  beforeCreate(schema) {
    startGeneration(schema);
    schema.status = {};
  },
  beforeUpdate(schema, old) {
    keep(schema, old, 'status');
    bumpGeneration(schema, old);
  },
  validate: validateFlowSchema,
  status: {
    resets: ['metadata', 'spec'],
    beforeUpdate(schema, old) {
      keep(schema, old, 'spec');
      keepMetadata(schema, old);
    },
    validateUpdate: () => [],
  },
  columns: [
    nameColumn(),
    text('PriorityLevel', 'Where its requests go.', ({ spec }) => spec?.priorityLevelConfiguration.name ?? ''),
    integer('MatchingPrecedence', 'The lower, the earlier it is asked.', ({ spec }) => spec?.matchingPrecedence),
    text('DistinguisherMethod', 'What tells its flows apart.', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn(),
    text('MissingPL', 'Whether its priority level is missing.', ({ status }) => {
      return status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?';
    }),
  ],
});
