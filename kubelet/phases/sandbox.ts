// The pod's sandbox: its namespaces and network.

import { podDns, readResolvConf } from '../containers/dns.ts';
import { sandboxConfig } from '../containers/sandbox-config.ts';
import { recordPodEvent } from '../context.ts';
import { podLogDirectory } from '../directories.ts';
import { errorText } from '../images/image-puller.ts';
import { identityOf } from '../pods/names.ts';
import type { PodPhase, PodStart } from './phase.ts';

/** The configuration that a sandbox is, or was, made with; containers are made with it too. */
export async function configureSandbox(start: PodStart): Promise<void> {
  const { context, pod, attempt } = start;
  const dns = podDns(pod, await readResolvConf('/etc/resolv.conf'), context.clusterDns);
  start.sandboxConfig = sandboxConfig({
    pod,
    attempt,
    dns,
    logDirectory: podLogDirectory(context.directories, identityOf(pod)),
    cgroupParent: context.cgroups.parentOf(pod),
  });
}

export const sandboxPhase: PodPhase = {
  name: 'sandbox',
  async run(start) {
    const { context, pod } = start;
    await configureSandbox(start);
    if (start.sandboxId !== undefined) return;
    try {
      const config = start.sandboxConfig ?? {};
      start.sandboxId = await context.runtime.runPodSandbox(config, pod.spec?.runtimeClassName);
      context.metrics.podStarted(pod.spec?.containers.length ?? 0);
    } catch (error) {
      recordPodEvent(context, pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${errorText(error)}`);
      throw error;
    }
    const status = await context.runtime.podSandboxStatus(start.sandboxId);
    if (pod.spec?.hostNetwork) start.podIps = context.hostIps;
    else
      start.podIps = [status?.network?.ip ?? '', ...(status?.network?.additionalIps ?? []).map((a) => a.ip ?? '')].filter(
        (ip) => ip !== '',
      );
  },
};
