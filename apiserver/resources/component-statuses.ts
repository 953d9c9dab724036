// Kinds of core/v1 that nothing is stored of: the health of the cluster's parts, and bindings of pods to nodes.

import { bindings, componentStatuses } from '../../api/core.ts';
import { nameColumn, text } from './columns.ts';
import { serve } from './resource.ts';

const conditionOf = (status: { conditions?: { type: string; status: string; message?: string; error?: string }[] }) =>
  status.conditions?.find(({ type }) => type === 'Healthy');

export const componentStatusResource = serve(componentStatuses, {
  verbs: ['get', 'list'],
  handler: 'component-statuses',
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  validate: () => [],
  columns: [
    nameColumn(),
    text('Status', 'Whether it is healthy.', (component) => {
      const { status } = conditionOf(component) ?? {};
      return status === 'True' ? 'Healthy' : status === 'False' ? 'Unhealthy' : 'Unknown';
    }),
    text('Message', 'What it says of itself.', (component) => conditionOf(component)?.message ?? ''),
    text('Error', 'What is wrong.', (component) => conditionOf(component)?.error ?? ''),
  ],
});

export const bindingResource = serve(bindings, { verbs: ['create'], handler: 'bindings', validate: () => [], columns: [nameColumn()] });
