// Roles and their bindings: what may be done, and who may do it. The four kinds share their rules.

import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  type PolicyRule,
  type RbacSubject,
  type RoleBinding,
  rbacGroup,
  roleBindings,
  roles,
} from '../../api/rbac.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, nameIsPathSegment, pathSegmentProblems } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import { ageColumn, nameColumn, text, wide } from './columns.ts';
import { type Column, serve } from './resource.ts';

/** Adds the problems of rules; those of a namespaced role cannot speak of URLs. */
export function policyRulesErrors(rules: readonly PolicyRule[] | undefined, isNamespaced: boolean, errors: FieldError[]): void {
  eachAt(rules, 'rules', ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }, at) => {
    if (!verbs?.length) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
    if (nonResourceURLs?.length) {
      const each = `${at}.nonResourceURLs`;
      if (isNamespaced) errors.push(invalid(each, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
      if (apiGroups?.length || resources?.length || resourceNames?.length)
        errors.push(invalid(each, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
      return;
    }
    if (!apiGroups?.length) errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    if (!resources?.length) errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
  });
}

type Binding = Pick<RoleBinding, 'subjects' | 'roleRef'> & KubeObject;

function defaultBinding({ roleRef, subjects }: Binding): void {
  if (roleRef) roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects ?? []) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
}

function bindingErrors({ roleRef, subjects }: Binding, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]));
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (!name) errors.push(required('roleRef.name'));
  else for (const problem of pathSegmentProblems(name)) errors.push(invalid('roleRef.name', name, problem));
  eachAt(subjects, 'subjects', (subject, at) => subjectErrors(subject, isNamespaced, at, errors));
  return errors;
}

function subjectErrors(
  { kind = '', name = '', apiGroup = '', namespace }: RbacSubject,
  isNamespaced: boolean,
  at: string,
  errors: FieldError[],
): void {
  if (!name) errors.push(required(`${at}.name`));
  if (kind === 'ServiceAccount') {
    if (name) for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
    if (apiGroup) errors.push(notSupported(`${at}.apiGroup`, apiGroup, ['']));
    if (!isNamespaced && !namespace) errors.push(required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${at}.apiGroup`, apiGroup, [rbacGroup]));
  } else errors.push(notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
}

function bindingUpdateErrors(binding: Binding, old: Binding, isNamespaced: boolean): FieldError[] {
  const errors = bindingErrors(binding, isNamespaced);
  if (!semanticEqual(binding.roleRef, old.roleRef)) errors.push(invalid('roleRef', binding.roleRef, 'cannot change roleRef'));
  return errors;
}

const validateName = (name: string, isGenerateName: boolean) => [...nameIsPathSegment(name, isGenerateName)];

function roleColumns<T extends KubeObject>(): Column<T>[] {
  return [nameColumn(), text('Created At', 'When the role was created.', ({ metadata }) => metadata?.creationTimestamp ?? '<unknown>')];
}

function subjectsText({ subjects }: Binding, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

const bindingColumns: Column<Binding>[] = [
  nameColumn(),
  text('Role', 'The role that is given.', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  ageColumn(),
  wide('Users', 'The users who have it.', (binding) => subjectsText(binding, 'User')),
  wide('Groups', 'The groups who have it.', (binding) => subjectsText(binding, 'Group')),
  wide('ServiceAccounts', 'The service accounts that have it.', (binding) => subjectsText(binding, 'ServiceAccount')),
];

export const roleResource = serve(roles, {
  validate({ rules }) {
    const errors: FieldError[] = [];
    policyRulesErrors(rules, true, errors);
    return errors;
  },
  validateName,
  allowCreateOnUpdate: true,
  columns: roleColumns(),
});

export const clusterRoleResource = serve(clusterRoles, {
  validate({ rules, aggregationRule }) {
    const errors: FieldError[] = [];
    policyRulesErrors(rules, false, errors);
    if (!aggregationRule) return errors;
    const at = 'aggregationRule.clusterRoleSelectors';
    if (!aggregationRule.clusterRoleSelectors?.length)
      errors.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    eachAt(aggregationRule.clusterRoleSelectors, at, (selector, each) => labelSelectorErrors(selector, each, errors));
    return errors;
  },
  validateName,
  allowCreateOnUpdate: true,
  columns: roleColumns(),
});

export const roleBindingResource = serve(roleBindings, {
  defaults(binding) {
    defaultBinding(binding);
    for (const subject of binding.subjects ?? [])
      if (subject.kind === 'ServiceAccount' && !subject.namespace && binding.metadata?.namespace)
        subject.namespace = binding.metadata.namespace;
  },
  validate: (binding) => bindingErrors(binding, true),
  validateUpdate: (binding, old) => bindingUpdateErrors(binding, old, true),
  validateName,
  allowCreateOnUpdate: true,
  columns: bindingColumns,
});

export const clusterRoleBindingResource = serve(clusterRoleBindings, {
  defaults: defaultBinding,
  validate: (binding) => bindingErrors(binding, false),
  validateUpdate: (binding, old) => bindingUpdateErrors(binding, old, false),
  validateName,
  allowCreateOnUpdate: true,
  columns: bindingColumns,
});
