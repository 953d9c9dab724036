// What the parts of one kubelet share.

import type { Node, Pod, Service } from '../api/core.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/events.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import type { PodCgroups } from './cgroups/pod-cgroups.ts';
import type { ClusterDns } from './containers/dns.ts';
import type { ReferencedObjects } from './containers/environment.ts';
import type { PodFacts } from './containers/field-ref.ts';
import type { Directories } from './directories.ts';
import type { ImagePuller } from './images/image-puller.ts';
import type { KubeletMetrics } from './metrics/kubelet-metrics.ts';
import type { PodStateReader } from './pods/pod-state.ts';
import type { Probes } from './probes/probes.ts';
import type { StatusWriter } from './status/status-writer.ts';
import type { Volumes } from './volumes/volumes.ts';

export interface KubeletContext {
  nodeName: string;
  client: Client;
  runtime: ContainerRuntime;
  /** `containerd`, as container ids are prefixed. */
  runtimeName: string;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  metrics: KubeletMetrics;
  directories: Directories;
  cgroups: PodCgroups;
  images: ImagePuller;
  objects: ReferencedObjects;
  volumes: Volumes;
  probes: Probes;
  statuses: StatusWriter;
  states: PodStateReader;
  clusterDns: ClusterDns | undefined;
  hostIps: readonly string[];
  nodeMemoryBytes: number;
  /** The node object as last seen; undefined before it is registered. */
  node(): Node | undefined;
  services(): readonly Service[];
  /** Pods admitted and not ended, but for the one of this uid. */
  otherPods(uid: string): Pod[];
  /** Removes a pod's directory and its logs. */
  removePodDirectories(pod: Pod): Promise<void>;
  /** Ends with the kubelet. */
  signal: AbortSignal;
}

/** What a pod can learn of its place. */
export function podFacts(context: KubeletContext, podIps: readonly string[]): PodFacts {
  const allocatable = context.node()?.status?.allocatable ?? {};
  return { nodeName: context.nodeName, hostIps: context.hostIps, podIps, allocatable };
}

/** Records an event about a pod, or one of its containers. */
export function recordPodEvent(
  context: Pick<KubeletContext, 'events'>,
  pod: Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  fieldPath?: string,
): void {
  context.events.record(
    { apiVersion: 'v1', kind: 'Pod', ...(pod.metadata ? { metadata: pod.metadata } : {}) },
    type,
    reason,
    message,
    fieldPath,
  );
}
