// Starting a pod, as lists: what is made for the pod, then what is done for each container. A phase is idempotent; a
// worker that was killed in the middle begins at the front.

import type { Pod, Secret } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';
import type { KubeletContext } from '../context.ts';
import type { ImageOutcome } from '../images/image-puller.ts';
import type { NamedContainer } from '../pods/names.ts';
import type { PreparedVolume } from '../volumes/volumes.ts';

/** One start of a pod: filled by its phases, in their order. */
export interface PodStart {
  readonly context: KubeletContext;
  readonly pod: Pod;
  /** Ends when the pod is to end. */
  readonly signal: AbortSignal;
  /** The sandbox's attempt number. */
  attempt: number;
  volumes: ReadonlyMap<string, PreparedVolume>;
  sandboxConfig: cri.PodSandboxConfig | undefined;
  sandboxId: string | undefined;
  podIps: readonly string[];
  pullSecrets(): Promise<Secret[]>;
  /** Look at the pod again. */
  wake(): void;
}

export interface PodPhase {
  readonly name: string;
  run(start: PodStart): Promise<void>;
}

/** One start of a container, in a pod whose phases have run. */
export interface ContainerStart {
  readonly pod: PodStart;
  readonly named: NamedContainer;
  readonly restartCount: number;
  /** Asked for before the sandbox was made, so that both go on at once. */
  readonly image: Promise<ImageOutcome>;
  imageRef: string;
  imageUser: { uid?: number | undefined; username?: string | undefined };
  config: cri.ContainerConfig | undefined;
  containerId: string | undefined;
}

export interface ContainerPhase {
  readonly name: string;
  /** 'later': the container cannot start yet, and the worker will be woken. @throws StartFailure */
  run(start: ContainerStart): Promise<'later' | undefined>;
}
