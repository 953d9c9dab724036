// Runtime classes: names for ways of running containers, with what they cost and where they are to be had.

import { type FieldError, invalid } from '../../api/field-error.ts';
import { runtimeClasses } from '../../api/scheduling.ts';
import { dns1123LabelProblems } from '../../api/validation/formats.ts';
import { immutableErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { nodeLabelWarning } from './node-label-warnings.ts';
import { tolerationsErrors } from './pod-scheduling.ts';
import { serve } from './resource.ts';
import { defaultResourceList, resourcesErrors } from './resource-lists.ts';

export const runtimeClassResource = serve(runtimeClasses, {
  defaults: ({ overhead }) => defaultResourceList(overhead?.podFixed),
  validate({ handler = '', overhead, scheduling }) {
    const errors: FieldError[] = [];
    for (const problem of dns1123LabelProblems(handler)) errors.push(invalid('handler', handler, problem));
    if (overhead?.podFixed) resourcesErrors({ limits: overhead.podFixed }, 'overhead.podFixed', errors);
    labelsErrors(scheduling?.nodeSelector, 'scheduling.nodeSelector', errors);
    tolerationsErrors(scheduling?.tolerations, 'scheduling.tolerations', errors);
    return errors;
  },
  validateUpdate: (runtimeClass, old) => immutableErrors('handler', runtimeClass.handler, old.handler),
  warningsOf: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const text = nodeLabelWarning(key);
      return text ? [`scheduling.nodeSelector: ${text}`] : [];
    }),
  columns: [nameColumn(), text('Handler', 'The runtime configuration it names.', ({ handler }) => handler ?? ''), ageColumn()],
});
