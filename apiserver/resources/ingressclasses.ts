// Ingress classes: names for who carries ingresses out.

import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { ingressClasses } from '../../api/networking.ts';
import { dns1123SubdomainProblems, httpPathProblems, pathSegmentProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

/** Adds the problems of `example.com/controller`. */
function controllerErrors(controller: string, errors: FieldError[]): void {
  const at = 'spec.controller';
  const slash = controller.indexOf('/');
  if (controller.length > 250) errors.push({ type: 'FieldValueTooLong', field: at, message: 'Too long: may not be more than 250 bytes' });
  if (!controller) errors.push(required(at));
  else if (slash <= 0 || slash === controller.length - 1)
    errors.push(invalid(at, controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    for (const problem of dns1123SubdomainProblems(controller.slice(0, slash)))
      errors.push(invalid(at, controller.slice(0, slash), problem));
    for (const problem of httpPathProblems(controller.slice(slash + 1))) errors.push(invalid(at, controller.slice(slash + 1), problem));
  }
}

export const ingressClassResource = serve(ingressClasses, {
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate({ spec }) {
    const errors: FieldError[] = [];
    controllerErrors(spec?.controller ?? '', errors);
    const parameters = spec?.parameters;
    if (!parameters) return errors;
    const at = 'spec.parameters';
    for (const field of ['kind', 'name'] as const) {
      const value = parameters[field];
      if (!value) errors.push(required(`${at}.${field}`));
      else for (const problem of pathSegmentProblems(value)) errors.push(invalid(`${at}.${field}`, value, problem));
    }
    const { scope = '', namespace } = parameters;
    if (scope !== 'Cluster' && scope !== 'Namespace') errors.push(notSupported(`${at}.scope`, scope, ['Cluster', 'Namespace']));
    if (scope === 'Namespace' && !namespace) errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    return errors;
  },
  validateUpdate: (ingressClass, old) => immutableErrors('spec.controller', ingressClass.spec?.controller, old.spec?.controller),
  columns: [
    nameColumn(),
    text('Controller', 'Who carries its ingresses out.', ({ spec }) => spec?.controller ?? ''),
    text('Parameters', 'Where its settings are.', ({ spec }) => {
      const parameters = spec?.parameters;
      if (!parameters) return '<none>';
      return `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}`;
    }),
    ageColumn(),
  ],
});
