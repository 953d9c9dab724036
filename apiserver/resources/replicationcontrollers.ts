// Replication controllers: how many copies of a pod template are wanted, found by an equality selector.

import { type ReplicationController, replicationControllers } from '../../api/core.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { formatSelector, selectorMatches, selectorOfMap } from '../../api/labels.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';
import { ageColumn, integer, labelsText, nameColumn, templateColumns, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { podTemplateErrors } from './pod-spec.ts';
import { templateWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';

export function defaultReplicationController(controller: ReplicationController): void {
  const { spec } = controller;
  if (!spec) return;
  spec.replicas ??= 1;
  spec.minReadySeconds ??= 0;
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  const labels = spec.template?.metadata?.labels;
  if (!labels) return;
  if (!spec.selector || Object.keys(spec.selector).length === 0) spec.selector = { ...labels };
  controller.metadata ??= {};
  if (!controller.metadata.labels || Object.keys(controller.metadata.labels).length === 0) controller.metadata.labels = { ...labels };
}

export function validateReplicationController({ spec }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  const { minReadySeconds = 0, replicas, selector, template } = spec ?? {};
  if (minReadySeconds < 0) errors.push(invalid('spec.minReadySeconds', minReadySeconds, negativeMessage));
  if (!selector || Object.keys(selector).length === 0) errors.push(required('spec.selector'));
  if (replicas === undefined) errors.push(required('spec.replicas'));
  else if (replicas < 0) errors.push(invalid('spec.replicas', replicas, negativeMessage));
  if (!template) {
    errors.push(required('spec.template'));
    return errors;
  }
  const labels = template.metadata?.labels ?? {};
  if (selector && Object.keys(selector).length > 0 && !selectorMatches(selectorOfMap(selector), labels))
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  podTemplateErrors(template, 'spec.template', errors);
  if ((replicas ?? 0) > 1) {
    // A disk that only one machine may write cannot serve several pods.
    template.spec?.volumes?.forEach(({ gcePersistentDisk }, i) => {
      if (gcePersistentDisk && !gcePersistentDisk.readOnly)
        errors.push(
          invalid(
            `spec.template.spec.volumes[${i}].gcePersistentDisk.readOnly`,
            false,
            'must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is read-only',
          ),
        );
    });
  }
  if (template.spec?.restartPolicy && template.spec.restartPolicy !== 'Always')
    errors.push(notSupported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined)
    errors.push({
      type: 'FieldValueForbidden',
      field: 'spec.template.spec.activeDeadlineSeconds',
      message: 'Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
    });
  return errors;
}

const statusCounts = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const;

function validateStatusUpdate({ status }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of statusCounts)
    if ((status?.[field] ?? 0) < 0) errors.push(invalid(`status.${field}`, status?.[field], negativeMessage));
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status ?? {};
  if (fullyLabeledReplicas > replicas)
    errors.push(invalid('status.fullyLabeledReplicas', fullyLabeledReplicas, 'cannot be greater than status.replicas'));
  if (readyReplicas > replicas) errors.push(invalid('status.readyReplicas', readyReplicas, 'cannot be greater than status.replicas'));
  if (availableReplicas > replicas)
    errors.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than status.replicas'));
  if (availableReplicas > readyReplicas)
    errors.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  return errors;
}

export const replicationControllerResource = serve(replicationControllers, {
  fields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  defaults: defaultReplicationController,
  beforeCreate(controller) {
    startGeneration(controller);
    controller.status = { replicas: 0 };
  },
  beforeUpdate(controller, old) {
    keep(controller, old, 'status');
    bumpGeneration(controller, old);
  },
  validate: validateReplicationController,
  warningsOf: workloadWarnings(({ spec }) => templateWarnings(spec?.template, 'spec.template')),
  status: { beforeUpdate: (controller, old) => keep(controller, old, 'spec'), validateUpdate: validateStatusUpdate },
  scale: {
    specReplicas: (controller) => controller.spec?.replicas ?? 0,
    setReplicas(controller, replicas) {
      controller.spec = { ...controller.spec, replicas };
    },
    statusReplicas: (controller) => controller.status?.replicas ?? 0,
    selector: (controller) => formatSelector(selectorOfMap(controller.spec?.selector)),
  },
  columns: [
    nameColumn(),
    integer('Desired', 'How many pods are wanted.', (controller) => controller.spec?.replicas),
    integer('Current', 'How many pods there are.', (controller) => controller.status?.replicas),
    integer('Ready', 'How many pods are ready.', (controller) => controller.status?.readyReplicas),
    ageColumn(),
    ...templateColumns<ReplicationController>((controller) => controller.spec?.template),
    wide('Selector', 'The labels that its pods carry.', (controller) => labelsText(controller.spec?.selector)),
  ],
});
