// What a node can run containers with, in CRI's terms. Implementations: cri (gRPC to containerd, CRI-O or any CRI
// socket) and simulated; runtime/contract.ts is the suite that both pass. Knows no Pod.

import type { Observable } from 'rxjs';
import type * as cri from './cri-types.ts';

export interface ContainerRuntime {
  version(): Promise<cri.VersionResponse>;
  status(verbose?: boolean): Promise<cri.StatusResponse>;
  updateRuntimeConfig(podCidr: string): Promise<void>;

  /** Returns the sandbox id. */
  runPodSandbox(config: cri.PodSandboxConfig, runtimeHandler?: string): Promise<string>;
  stopPodSandbox(podSandboxId: string): Promise<void>;
  removePodSandbox(podSandboxId: string): Promise<void>;
  /** undefined: there is no such sandbox. */
  podSandboxStatus(podSandboxId: string): Promise<cri.PodSandboxStatus | undefined>;
  listPodSandboxes(filter?: cri.PodSandboxFilter): Promise<cri.PodSandbox[]>;

  /** Returns the container id. */
  createContainer(podSandboxId: string, config: cri.ContainerConfig, sandboxConfig: cri.PodSandboxConfig): Promise<string>;
  startContainer(containerId: string): Promise<void>;
  /** SIGTERM (or the image's stop signal), then SIGKILL after `timeoutSeconds`. No error when it is gone already. */
  stopContainer(containerId: string, timeoutSeconds: number): Promise<void>;
  removeContainer(containerId: string): Promise<void>;
  listContainers(filter?: cri.ContainerFilter): Promise<cri.Container[]>;
  /** undefined: there is no such container. */
  containerStatus(containerId: string): Promise<cri.ContainerStatus | undefined>;
  updateContainerResources(containerId: string, linux: cri.LinuxContainerResources): Promise<void>;
  reopenContainerLog(containerId: string): Promise<void>;
  /** Runs to the end, or to `timeoutSeconds` (0: none), by a deadline of our own. @throws RuntimeError 'DeadlineExceeded' */
  execSync(
    containerId: string,
    command: string[],
    timeoutSeconds: number,
  ): Promise<{ stdout: Uint8Array; stderr: Uint8Array; exitCode: number }>;

  /** Each answers a one-shot URL of the runtime's own streaming server, which speaks SPDY (`v4.channel.k8s.io`). */
  exec(request: cri.ExecRequest): Promise<string>;
  attach(request: cri.AttachRequest): Promise<string>;
  portForward(request: cri.PortForwardRequest): Promise<string>;

  containerStats(containerId: string): Promise<cri.ContainerStats | undefined>;
  listContainerStats(filter?: { podSandboxId?: string }): Promise<cri.ContainerStats[]>;

  /**
   * Hints that something happened to a container: never lost while connected, but to be trusted only as a reason to
   * look (levels, not edges). Reconnects by itself; after each connection it emits `{ type: 'resync' }`.
   */
  events(): Observable<RuntimeEvent>;

  listImages(): Promise<cri.Image[]>;
  /** undefined: not on this machine. */
  imageStatus(image: string): Promise<cri.Image | undefined>;
  /** Returns the image's reference (its id). @throws RuntimeError */
  pullImage(image: string, auth?: cri.AuthConfig, sandboxConfig?: cri.PodSandboxConfig): Promise<string>;
  removeImage(image: string): Promise<void>;
  imageFsInfo(): Promise<cri.FilesystemUsage[]>;

  /**
   * Only where containers have no log file at their status's `logPath` (simulated ones): what the file would hold, in CRI's
   * format, the newest lines. @throws RuntimeError 'NotFound'
   */
  readLog?(containerId: string): Promise<Uint8Array>;
  /** Only where pods' addresses lead nowhere (simulated ones): whether an HTTP, TCP or gRPC probe would succeed now. */
  probe?(containerId: string): Promise<boolean>;

  close(): Promise<void>;
}

export type RuntimeEvent =
  | { type: 'resync' }
  | { type: 'created' | 'started' | 'stopped' | 'deleted' /** A container's, or a sandbox's. */; id: string; podSandboxId?: string };

/** A call the runtime refused: gRPC's status by name, and its text. */
export class RuntimeError extends Error {
  override name = 'RuntimeError';
  readonly code:
    | 'NotFound'
    | 'AlreadyExists'
    | 'InvalidArgument'
    | 'DeadlineExceeded'
    | 'Unavailable'
    | 'Unimplemented'
    | 'ResourceExhausted'
    | 'Unknown';
  constructor(code: RuntimeError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
