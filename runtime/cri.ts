// A ContainerRuntime over CRI runtime.v1: gRPC on a unix socket to containerd, CRI-O or anything else that speaks it.
// Every call has a deadline, a lost connection comes back by itself, and what is gone already is no error to remove.

import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { criEvents } from './cri-events.ts';
import type * as cri from './cri-types.ts';
import { type CallOptions, GrpcConnection, loadProto, methodOf } from './grpc.ts';
import { pauseImageName } from './images/pause.ts';
import { type ContainerRuntime, RuntimeError } from './runtime.ts';

export interface CriOptions {
  /** A path, or `unix:///path`. */
  socket: string;
  clock: Clock;
  log: Log;
  /** How long to wait for the runtime's first answer. Default 10 s. */
  connectMsMax?: number;
}

/** A query that only looks; a change; a sandbox, whose network plugins take their time; a pull. What a kubelet allows. */
const deadlineMs = { look: 120_000, change: 120_000, sandbox: 240_000, pull: 60 * 60_000 };
/** How long past an exec's timeout we wait for the runtime to say so, before we do. */
const execGraceMs = 300;

/** @throws RuntimeError when nothing answers on the socket within `connectMsMax`. */
export async function connectCri(options: CriOptions): Promise<ContainerRuntime> {
  const { clock, connectMsMax = 10_000 } = options;
  const connection = new GrpcConnection(options);
  const runtime = criRuntime(connection, options);
  try {
    await untilInitialized(connection, { clock, untilMs: clock.monotonicMs() + connectMsMax });
  } catch (error) {
    connection.close();
    throw error;
  }
  return runtime;
}

const proto = loadProto('cri.proto');
const imageCalls = new Set(['ListImages', 'ImageStatus', 'PullImage', 'RemoveImage', 'ImageFsInfo']);
const criMethod = (name: string) => methodOf(proto, `runtime.v1.${imageCalls.has(name) ? 'ImageService' : 'RuntimeService'}`, name);

function call<Answer>(connection: GrpcConnection, name: string, request: object, options: Partial<CallOptions> = {}): Promise<Answer> {
  return connection.unary<Answer>(criMethod(name), request, { deadlineMs: deadlineMs.look, ...options });
}

/** containerd listens before its CRI side has read what is on disk, and until then refuses every call. */
async function untilInitialized(connection: GrpcConnection, { clock, untilMs }: { clock: Clock; untilMs: number }): Promise<void> {
  for (let delayMs = 2; ; delayMs = Math.min(delayMs * 2, 100)) {
    try {
      const remaining = { deadlineMs: Math.max(1, untilMs - clock.monotonicMs()), waitForReady: true };
      await call(connection, 'ListPodSandbox', { filter: { id: 'none' } }, remaining);
      return;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'Unavailable' || clock.monotonicMs() > untilMs) throw error;
    }
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  }
}

/** The answer, or undefined when there is no such thing. */
async function unlessNotFound<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

function criRuntime(connection: GrpcConnection, { socket, clock, log }: CriOptions): ContainerRuntime {
  const look = <Answer>(name: string, request: object = {}) => call<Answer>(connection, name, request);
  const change = <Answer = object>(name: string, request: object, options?: Partial<CallOptions>) =>
    call<Answer>(connection, name, request, { deadlineMs: deadlineMs.change, ...options });

  const runtime: ContainerRuntime = {
    version: () => look('Version', { version: '0.1.0' }),
    status: (verbose = false) => look('Status', { verbose }),
    updateRuntimeConfig: async (podCidr) => {
      await change('UpdateRuntimeConfig', { runtimeConfig: { networkConfig: { podCidr } } });
    },

    runPodSandbox: async (config, runtimeHandler = '') => {
      const request = { config, runtimeHandler };
      const { podSandboxId } = await change<cri.RunPodSandboxResponse>('RunPodSandbox', request, { deadlineMs: deadlineMs.sandbox });
      return podSandboxId ?? '';
    },
    stopPodSandbox: async (podSandboxId) => {
      await unlessNotFound(change('StopPodSandbox', { podSandboxId }, { deadlineMs: deadlineMs.sandbox }));
    },
    removePodSandbox: async (podSandboxId) => {
      await unlessNotFound(change('RemovePodSandbox', { podSandboxId }, { deadlineMs: deadlineMs.sandbox }));
    },
    podSandboxStatus: async (podSandboxId) =>
      (await unlessNotFound(look<cri.PodSandboxStatusResponse>('PodSandboxStatus', { podSandboxId })))?.status,
    listPodSandboxes: async (filter) => (await look<cri.ListPodSandboxResponse>('ListPodSandbox', { filter })).items ?? [],

    createContainer: async (podSandboxId, config, sandboxConfig) => {
      const request = { podSandboxId, config, sandboxConfig };
      return (await change<cri.CreateContainerResponse>('CreateContainer', request)).containerId ?? '';
    },
    startContainer: async (containerId) => {
      await change('StartContainer', { containerId });
    },
    stopContainer: async (containerId, timeoutSeconds) => {
      const longest = { deadlineMs: deadlineMs.change + timeoutSeconds * 1000 };
      await unlessNotFound(change('StopContainer', { containerId, timeout: timeoutSeconds }, longest));
    },
    removeContainer: async (containerId) => {
      await unlessNotFound(change('RemoveContainer', { containerId }));
    },
    listContainers: async (filter) => (await look<cri.ListContainersResponse>('ListContainers', { filter })).containers ?? [],
    containerStatus: async (containerId) =>
      (await unlessNotFound(look<cri.ContainerStatusResponse>('ContainerStatus', { containerId })))?.status,
    updateContainerResources: async (containerId, linux) => {
      await change('UpdateContainerResources', { containerId, linux });
    },
    reopenContainerLog: async (containerId) => {
      await change('ReopenContainerLog', { containerId });
    },
    execSync: async (containerId, command, timeoutSeconds) => {
      const request = { containerId, cmd: command, timeout: Math.ceil(timeoutSeconds) };
      // Not cancelled at the timeout: containerd 1.6 would then leave the command running. It gets time to end it by itself.
      const longest = timeoutSeconds > 0 ? timeoutSeconds * 1000 + deadlineMs.change : 24 * 3600_000;
      const answer = change<cri.ExecSyncResponse>('ExecSync', request, { deadlineMs: longest });
      const { stdout, stderr, exitCode } = await inTime(answer, { command, timeoutSeconds, clock });
      return { stdout: stdout ?? new Uint8Array(), stderr: stderr ?? new Uint8Array(), exitCode: exitCode ?? 0 };
    },

    exec: async (request) => (await change<cri.ExecResponse>('Exec', request)).url ?? '',
    attach: async (request) => (await change<cri.AttachResponse>('Attach', request)).url ?? '',
    portForward: async (request) => (await change<cri.PortForwardResponse>('PortForward', request)).url ?? '',

    containerStats: async (containerId) =>
      (await unlessNotFound(look<cri.ContainerStatsResponse>('ContainerStats', { containerId })))?.stats,
    listContainerStats: async (filter) => (await look<cri.ListContainerStatsResponse>('ListContainerStats', { filter })).stats ?? [],

    events: () => criEvents({ socket, clock, log, runtime, criEvents: () => connection.serverStream(criMethod('GetContainerEvents'), {}) }),

    listImages: async () => ((await look<cri.ListImagesResponse>('ListImages')).images ?? []).map(pinned),
    imageStatus: async (image) => {
      const { image: found } = await look<cri.ImageStatusResponse>('ImageStatus', { image: { image } });
      return found && pinned(found);
    },
    pullImage: async (image, auth, sandboxConfig) => {
      const request = { image: { image }, auth, sandboxConfig };
      return (await change<cri.PullImageResponse>('PullImage', request, { deadlineMs: deadlineMs.pull })).imageRef ?? '';
    },
    removeImage: async (image) => {
      await unlessNotFound(change('RemoveImage', { image: { image } }));
    },
    imageFsInfo: async () => (await look<cri.ImageFsInfoResponse>('ImageFsInfo')).imageFilesystems ?? [],

    close: async () => connection.close(),
  };
  return runtime;
}

/** containerd before 1.7 does not say that the sandboxes' own image must stay. */
function pinned(image: cri.Image): cri.Image {
  return image.repoTags?.includes(pauseImageName) ? { ...image, pinned: true } : image;
}

/** However the runtime words it, and however long it takes to, a command that ran into its timeout is one error. */
async function inTime<Answer>(
  answer: Promise<Answer>,
  { command, timeoutSeconds, clock }: { command: string[]; timeoutSeconds: number; clock: Clock },
): Promise<Answer> {
  const overdue = () =>
    new RuntimeError('DeadlineExceeded', `command ${JSON.stringify(command.join(' '))} timed out after ${timeoutSeconds}s`);
  let timer: Timer | undefined;
  const deadline = new Promise<never>((_, reject) => {
    if (timeoutSeconds > 0) timer = clock.setTimer(timeoutSeconds * 1000 + execGraceMs, () => reject(overdue()));
  });
  try {
    return await Promise.race([answer, deadline]);
  } catch (error) {
    const isOverdue = error instanceof RuntimeError && (error.code === 'DeadlineExceeded' || /timeout .* exceeded/.test(error.message));
    throw isOverdue ? overdue() : error;
  } finally {
    timer?.cancel();
  }
}
