// Pod templates kept as objects of their own.

import { type PodTemplate, podTemplates } from '../../api/core.ts';
import type { FieldError } from '../../api/field-error.ts';
import { labelsText, nameColumn, templateColumns, text } from './columns.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { podTemplateErrors } from './pod-spec.ts';
import { templateWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';

export const podTemplateResource = serve(podTemplates, {
  defaults({ template }) {
    if (template?.spec) defaultPodSpec(template.spec);
  },
  beforeCreate: startGeneration,
  beforeUpdate: (template, old) => bumpGeneration({ ...template, spec: template.template }, { ...old, spec: old.template }),
  validate({ template }) {
    const errors: FieldError[] = [];
    podTemplateErrors(template ?? {}, 'template', errors);
    return errors;
  },
  warningsOf: ({ template }) => templateWarnings(template, 'template'),
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    ...templateColumns<PodTemplate>(({ template }) => template).map((column) => ({ ...column, priority: 0 })),
    text('Pod Labels', 'The labels of its pods.', ({ template }) => labelsText(template?.metadata?.labels)),
  ],
});
