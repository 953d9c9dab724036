// A ContainerRuntime without processes: sandboxes and containers that live on a Clock and behave as their annotations say
// (simulated/behaviour.ts). For machines where no container can run, for clusters of a thousand nodes, and for tests.

import { concat, defer, type Observable, of, Subject } from 'rxjs';
import { type Clock, sleep } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type * as cri from './cri-types.ts';
import { normalizeImageName } from './images/image-name.ts';
import { type ContainerRuntime, RuntimeError, type RuntimeEvent } from './runtime.ts';
import { behaviourOf, podBehaviourOf } from './simulated/behaviour.ts';
import { PodAddresses } from './simulated/pod-addresses.ts';
import { nanoseconds, SimulatedContainer } from './simulated/simulated-container.ts';

export interface SimulatedOptions {
  clock: Clock;
  random: Random;
  /** IPv4 addresses of its pods, like `10.244.0.0/24`. */
  podCidr: string;
}

interface Sandbox {
  id: string;
  config: cri.PodSandboxConfig;
  runtimeHandler: string;
  state: cri.PodSandboxState;
  createdMs: number;
  address: string | undefined;
}

/** Every image can be pulled, unless its pod's annotation `simulated.t8s.io/pull-error` says with what the pull fails. */
export function createSimulatedRuntime(options: SimulatedOptions): ContainerRuntime {
  return new SimulatedRuntime(options);
}

const simulatedImageBytes = 1024 * 1024;

class SimulatedRuntime implements ContainerRuntime {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #addresses: PodAddresses;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  /** Ids by name with tag. */
  readonly #images = new Map<string, string>();
  readonly #events = new Subject<RuntimeEvent>();

  constructor({ clock, random, podCidr }: SimulatedOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#addresses = new PodAddresses(podCidr);
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: 'simulated', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' };
  }

  async status(): Promise<cri.StatusResponse> {
    const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }));
    return { status: { conditions }, info: {}, runtimeHandlers: [], features: {} };
  }

  async updateRuntimeConfig(): Promise<void> {}

  async runPodSandbox(config: cri.PodSandboxConfig, runtimeHandler = ''): Promise<string> {
    await this.#take(podBehaviourOf(config.annotations).sandboxMs);
    const isHostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
    const sandbox: Sandbox = {
      id: this.#newId(),
      config,
      runtimeHandler,
      state: 'SANDBOX_READY',
      createdMs: this.#clock.nowMs(),
      address: isHostNetwork ? undefined : this.#addresses.take(),
    };
    this.#sandboxes.set(sandbox.id, sandbox);
    this.#emit('started', sandbox.id, sandbox.id);
    return sandbox.id;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox || sandbox.state === 'SANDBOX_NOTREADY') return;
    for (const container of this.#containersIn(podSandboxId)) container.end();
    sandbox.state = 'SANDBOX_NOTREADY';
    if (sandbox.address !== undefined) this.#addresses.give(sandbox.address);
    this.#emit('stopped', podSandboxId, podSandboxId);
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    if (!this.#sandboxes.has(podSandboxId)) return;
    await this.stopPodSandbox(podSandboxId);
    for (const container of this.#containersIn(podSandboxId)) await this.removeContainer(container.id);
    this.#sandboxes.delete(podSandboxId);
    this.#emit('deleted', podSandboxId, podSandboxId);
  }

  async podSandboxStatus(podSandboxId: string): Promise<cri.PodSandboxStatus | undefined> {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox) return undefined;
    const { config, state, address } = sandbox;
    return {
      ...summaryOf(sandbox),
      network: { ip: state === 'SANDBOX_READY' ? (address ?? '') : '', additionalIps: [] },
      linux: { namespaces: { options: config.linux?.securityContext?.namespaceOptions ?? {} } },
    };
  }

  async listPodSandboxes(filter: cri.PodSandboxFilter = {}): Promise<cri.PodSandbox[]> {
    return [...this.#sandboxes.values()].map(summaryOf).filter((sandbox) => matches(sandbox, filter));
  }

  async createContainer(podSandboxId: string, config: cri.ContainerConfig, sandboxConfig: cri.PodSandboxConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox) throw new RuntimeError('NotFound', `failed to find sandbox id "${podSandboxId}": not found`);
    if (sandbox.state !== 'SANDBOX_READY') throw new RuntimeError('Unknown', `sandbox "${podSandboxId}" is not running`);
    const image = config.image?.image ?? '';
    const imageId = this.#imageId(image);
    if (imageId === undefined) throw new RuntimeError('NotFound', `failed to resolve image "${image}": not found`);
    const id = this.#newId();
    const container = new SimulatedContainer({
      id,
      podSandboxId,
      config,
      logDirectory: sandbox.config.logDirectory ?? '',
      imageId,
      behaviour: behaviourOf(config.metadata?.name ?? '', config.annotations, sandboxConfig.annotations),
      clock: this.#clock,
      onExit: () => this.#emit('stopped', id, podSandboxId),
    });
    this.#containers.set(id, container);
    this.#emit('created', id, podSandboxId);
    return id;
  }

  async startContainer(containerId: string): Promise<void> {
    const container = this.#container(containerId);
    if (container.state !== 'CONTAINER_CREATED') {
      throw new RuntimeError('Unknown', `container "${containerId}" is in ${container.state} state`);
    }
    await this.#take(container.behaviour.startMs);
    // It may have been removed while it started.
    this.#container(containerId).start();
    this.#emit('started', containerId, container.podSandboxId);
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    await this.#containers.get(containerId)?.stop(timeoutSeconds);
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId);
    if (!container) return;
    container.end();
    this.#containers.delete(containerId);
    this.#emit('deleted', containerId, container.podSandboxId);
  }

  async listContainers(filter: cri.ContainerFilter = {}): Promise<cri.Container[]> {
    const containers = [...this.#containers.values()].map((container) => container.summary());
    return containers.filter(
      (container) => matches(container, filter) && (!filter.podSandboxId || container.podSandboxId === filter.podSandboxId),
    );
  }

  async containerStatus(containerId: string): Promise<cri.ContainerStatus | undefined> {
    return this.#containers.get(containerId)?.status();
  }

  async updateContainerResources(containerId: string, linux: cri.LinuxContainerResources): Promise<void> {
    const container = this.#container(containerId);
    container.resources = { ...container.resources, ...linux };
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    this.#running(containerId);
  }

  async execSync(containerId: string): Promise<{ stdout: Uint8Array; stderr: Uint8Array; exitCode: number }> {
    const { execExitCode, execOutput } = this.#running(containerId).behaviour;
    return { stdout: Buffer.from(execOutput), stderr: new Uint8Array(), exitCode: execExitCode };
  }

  exec(): Promise<string> {
    return noStreams('run commands in');
  }

  attach(): Promise<string> {
    return noStreams('attach to');
  }

  portForward(): Promise<string> {
    return noStreams('forward ports to');
  }

  async containerStats(containerId: string): Promise<cri.ContainerStats | undefined> {
    return this.#containers.get(containerId)?.stats();
  }

  async listContainerStats(filter: { podSandboxId?: string } = {}): Promise<cri.ContainerStats[]> {
    const running = (await this.listContainers(filter)).filter((container) => container.state === 'CONTAINER_RUNNING');
    return running.map((container) => this.#container(container.id ?? '').stats());
  }

  events(): Observable<RuntimeEvent> {
    return defer(() => concat(of<RuntimeEvent>({ type: 'resync' }), this.#events));
  }

  async listImages(): Promise<cri.Image[]> {
    return [...this.#images].map(([name, id]) => imageOf(name, id));
  }

  async imageStatus(image: string): Promise<cri.Image | undefined> {
    const id = this.#imageId(image);
    const name = [...this.#images.keys()].find((key) => this.#images.get(key) === id);
    return id !== undefined && name !== undefined ? imageOf(name, id) : undefined;
  }

  async pullImage(image: string, _auth?: cri.AuthConfig, sandboxConfig: cri.PodSandboxConfig = {}): Promise<string> {
    const { pullMs, pullError } = podBehaviourOf(sandboxConfig.annotations);
    await this.#take(pullMs);
    if (pullError !== undefined) throw new RuntimeError('Unknown', `failed to pull and unpack image "${image}": ${pullError}`);
    const name = normalizeImageName(image);
    const id = this.#images.get(name) ?? `sha256:${this.#newId()}`;
    this.#images.set(name, id);
    return id;
  }

  async removeImage(image: string): Promise<void> {
    const id = this.#imageId(image);
    for (const [name, other] of this.#images) if (other === id) this.#images.delete(name);
  }

  async imageFsInfo(): Promise<cri.FilesystemUsage[]> {
    const usedBytes = { value: this.#images.size * simulatedImageBytes };
    const timestamp = nanoseconds(this.#clock.nowMs());
    return [{ timestamp, fsId: { mountpoint: '/simulated' }, usedBytes, inodesUsed: { value: this.#images.size } }];
  }

  async readLog(containerId: string): Promise<Uint8Array> {
    return this.#container(containerId).log();
  }

  async probe(containerId: string): Promise<boolean> {
    return this.#container(containerId).isReady();
  }

  async close(): Promise<void> {
    this.#events.complete();
  }

  #containersIn(podSandboxId: string): SimulatedContainer[] {
    return [...this.#containers.values()].filter((container) => container.podSandboxId === podSandboxId);
  }

  #container(containerId: string): SimulatedContainer {
    const container = this.#containers.get(containerId);
    if (!container) throw new RuntimeError('NotFound', `an error occurred when try to find container "${containerId}": not found`);
    return container;
  }

  #running(containerId: string): SimulatedContainer {
    const container = this.#container(containerId);
    if (container.state !== 'CONTAINER_RUNNING') {
      throw new RuntimeError('Unknown', `container "${containerId}" is in ${container.state} state`);
    }
    return container;
  }

  /** By name, short or with registry and tag, or by id. */
  #imageId(image: string): string | undefined {
    if (image === '') return undefined;
    return [...this.#images.values()].find((id) => id === image) ?? this.#images.get(normalizeImageName(image));
  }

  /** A latency of nothing is no turn of the clock, so that a virtual one need not be stepped for it. */
  async #take(durationMs: number): Promise<void> {
    if (durationMs > 0) await sleep(this.#clock, durationMs);
  }

  #newId(): string {
    return `${this.#random.uuid()}${this.#random.uuid()}`.replaceAll('-', '');
  }

  #emit(type: Exclude<RuntimeEvent['type'], 'resync'>, id: string, podSandboxId: string): void {
    this.#events.next({ type, id, podSandboxId });
  }
}

async function noStreams(what: string): Promise<string> {
  throw new RuntimeError('Unimplemented', `cannot ${what} a simulated container: it has no process`);
}

function summaryOf({ id, config, state, createdMs, runtimeHandler }: Sandbox): cri.PodSandbox {
  const { metadata = {}, labels = {}, annotations = {} } = config;
  return { id, metadata, state, createdAt: nanoseconds(createdMs), labels, annotations, runtimeHandler };
}

function imageOf(name: string, id: string): cri.Image {
  return { id, repoTags: [name], repoDigests: [], size: simulatedImageBytes, username: '', spec: { image: id }, pinned: false };
}

/** CRI's filters: an id or the beginning of one, a state, and labels that must all be there. */
function matches<State>(
  item: { id?: string; state?: State; labels?: Record<string, string> },
  filter: { id?: string; state?: { state?: State }; labelSelector?: Record<string, string> },
): boolean {
  if (filter.id && !item.id?.startsWith(filter.id)) return false;
  if (filter.state?.state && item.state !== filter.state.state) return false;
  return Object.entries(filter.labelSelector ?? {}).every(([key, value]) => item.labels?.[key] === value);
}
