// A container runtime whose calls are counted and timed, under the names that Kubernetes gives to the CRI's operations.

import type { ContainerRuntime } from '../../runtime/runtime.ts';

export interface RuntimeObserver {
  operation(type: string, startMs: number, isFailure: boolean): void;
  nowMs(): number;
}

const operations: Partial<Record<keyof ContainerRuntime, string>> = {
  version: 'version',
  status: 'status',
  updateRuntimeConfig: 'update_runtime_config',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandboxes: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  reopenContainerLog: 'reopen_container_log',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  containerStats: 'container_stats',
  listContainerStats: 'list_container_stats',
  listImages: 'list_images',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
};

export function measuredRuntime(runtime: ContainerRuntime, observer: RuntimeObserver): ContainerRuntime {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(runtime, {
    get(target, key) {
      const known = wrapped.get(key);
      if (known) return known;
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      const type = operations[key as keyof ContainerRuntime];
      const bound = member.bind(target) as (...given: unknown[]) => unknown;
      const made = type === undefined ? bound : (...given: unknown[]) => measured(observer, type, () => bound(...given));
      wrapped.set(key, made);
      return made;
    },
  });
}

async function measured(observer: RuntimeObserver, type: string, run: () => unknown): Promise<unknown> {
  const startMs = observer.nowMs();
  let isFailure = true;
  try {
    const result = await run();
    isFailure = false;
    return result;
  } finally {
    observer.operation(type, startMs, isFailure);
  }
}
