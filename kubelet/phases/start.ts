// The container runs.

import { RuntimeError } from '../../runtime/runtime.ts';
import { StartFailure } from '../containers/config-error.ts';
import { recordPodEvent } from '../context.ts';
import { errorText } from '../images/image-puller.ts';
import { fieldPathOf } from '../pods/names.ts';
import type { ContainerPhase } from './phase.ts';

export const startPhase: ContainerPhase = {
  name: 'start',
  async run({ pod: { context, pod }, named, containerId = '' }) {
    const fieldPath = fieldPathOf(named.kind, named.container.name);
    const type = named.kind === 'regular' ? 'container' : `${named.kind}_container`;
    try {
      await context.runtime.startContainer(containerId);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      context.metrics.containerStarted(type, 'RunContainerError');
      recordPodEvent(context, pod, 'Warning', 'Failed', `Error: ${errorText(error)}`, fieldPath);
      throw new StartFailure('RunContainerError', errorText(error));
    }
    context.metrics.containerStarted(type);
    recordPodEvent(context, pod, 'Normal', 'Started', `Container started`, fieldPath);
    return undefined;
  },
};
