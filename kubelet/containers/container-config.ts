// A container in CRI's terms: what its pod asks for, with references resolved and paths in place.

import type { Container, Pod } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { compact } from '../compact.ts';
import {
  containerHash,
  containerHashAnnotation,
  containerNameLabel,
  podLabels,
  preStopAnnotation,
  restartCountAnnotation,
  terminationGraceAnnotation,
  terminationMessagePathAnnotation,
  terminationMessagePolicyAnnotation,
} from '../pods/names.ts';
import { expand } from './expansion.ts';
import { containerResources } from './resources.ts';
import { containerSecurityContext, type ImageUser } from './security-context.ts';

export interface ContainerInput {
  pod: Pod;
  container: Container;
  restartCount: number;
  /** The image's reference on this machine. */
  imageRef: string;
  imageUser: ImageUser;
  env: ReadonlyMap<string, string>;
  mounts: cri.Mount[];
  nodeMemoryBytes: number;
  rootDirectory: string;
  targetId?: string;
}

/** Within the sandbox's log directory. */
export function containerLogPath(name: string, restartCount: number): string {
  return `${name}/${restartCount}.log`;
}

/** @throws StartFailure */
export function containerConfig(input: ContainerInput): cri.ContainerConfig {
  const { pod, container, restartCount, env } = input;
  const lookUp = (name: string) => env.get(name);
  return compact({
    metadata: { name: container.name, attempt: restartCount },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? '' },
    command: container.command?.map((word) => expand(word, lookUp)),
    args: container.args?.map((word) => expand(word, lookUp)),
    workingDir: container.workingDir,
    envs: [...env].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: input.mounts,
    labels: { ...podLabels(pod), [containerNameLabel]: container.name },
    annotations: annotationsOf(pod, container, restartCount),
    logPath: containerLogPath(container.name, restartCount),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    linux: {
      resources: containerResources(pod, container, input.nodeMemoryBytes),
      securityContext: containerSecurityContext({ ...input, image: input.imageUser }),
    },
  });
}

function annotationsOf(pod: Pod, container: Container, restartCount: number): Record<string, string> {
  const preStop = container.lifecycle?.preStop;
  return {
    [containerHashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(restartCount),
    [terminationMessagePathAnnotation]: container.terminationMessagePath ?? '/dev/termination-log',
    [terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    [terminationGraceAnnotation]: String(pod.spec?.terminationGracePeriodSeconds ?? 30),
    ...(preStop ? { [preStopAnnotation]: JSON.stringify(preStop) } : {}),
  };
}
