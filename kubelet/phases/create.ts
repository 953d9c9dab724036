// The container is made from what its pod asks for.

import { nameSuffix } from '../../base/random.ts';
import { RuntimeError } from '../../runtime/runtime.ts';
import { StartFailure } from '../containers/config-error.ts';
import { containerConfig } from '../containers/container-config.ts';
import { environmentOf } from '../containers/environment.ts';
import { podFacts, recordPodEvent } from '../context.ts';
import { errorText } from '../images/image-puller.ts';
import { fieldPathOf } from '../pods/names.ts';
import { containerMounts } from '../volumes/mounts.ts';
import type { ContainerPhase, ContainerStart } from './phase.ts';

export const createPhase: ContainerPhase = {
  name: 'create',
  async run(start) {
    const { context, pod, sandboxConfig, sandboxId = '' } = start.pod;
    const { container, kind } = start.named;
    const fieldPath = fieldPathOf(kind, container.name);
    start.config = await configure(start, fieldPath);
    try {
      start.containerId = await context.runtime.createContainer(sandboxId, start.config, sandboxConfig ?? {});
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      recordPodEvent(context, pod, 'Warning', 'Failed', `Error: ${errorText(error)}`, fieldPath);
      throw new StartFailure('CreateContainerError', errorText(error));
    }
    recordPodEvent(context, pod, 'Normal', 'Created', `Container created`, fieldPath);
    return undefined;
  },
};

async function configure(start: ContainerStart, fieldPath: string) {
  const { context, pod, volumes, podIps } = start.pod;
  const { container } = start.named;
  try {
    const facts = podFacts(context, podIps);
    const env = await environmentOf({ pod, container, facts, objects: context.objects, services: context.services() });
    const startId = nameSuffix(context.random, 8);
    const mounts = await containerMounts({ pod, container, volumes, env, directories: context.directories, startId });
    return containerConfig({
      pod,
      container,
      restartCount: start.restartCount,
      imageRef: start.imageRef,
      imageUser: start.imageUser,
      env,
      mounts,
      nodeMemoryBytes: context.nodeMemoryBytes,
      rootDirectory: context.directories.root,
      ...(await targetOf(start)),
    });
  } catch (error) {
    if (error instanceof StartFailure) recordPodEvent(context, pod, 'Warning', 'Failed', `Error: ${error.message}`, fieldPath);
    throw error;
  }
}

/** The container whose processes an ephemeral one is to see. */
async function targetOf(start: ContainerStart): Promise<{ targetId?: string }> {
  const target = (start.named.container as { targetContainerName?: string }).targetContainerName;
  if (start.named.kind !== 'ephemeral' || !target) return {};
  const state = await start.pod.context.states.read(start.pod.pod.metadata?.uid ?? '');
  const running = state.containers.find((c) => c.name === target && c.state === 'running');
  if (!running) throw new StartFailure('CreateContainerConfigError', `unable to find target container ${target}`);
  return { targetId: running.id };
}
