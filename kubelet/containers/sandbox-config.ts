// A pod's sandbox in CRI's terms.

import type { Pod } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { compact } from '../compact.ts';
import { identityOf, podLabels } from '../pods/names.ts';
import { sandboxSecurityContext } from './security-context.ts';

const hostnameCharactersMax = 63;

/** spec.hostname, or the pod's name cut to what a host name may have. */
export function podHostname(pod: Pod): string {
  if (pod.spec?.hostname) return pod.spec.hostname;
  return (pod.metadata?.name ?? '').slice(0, hostnameCharactersMax).replace(/[-.]+$/, '');
}

export interface SandboxInput {
  pod: Pod;
  attempt: number;
  logDirectory: string;
  dns: cri.DNSConfig;
  cgroupParent: string;
}

export function sandboxConfig({ pod, attempt, logDirectory, dns, cgroupParent }: SandboxInput): cri.PodSandboxConfig {
  const { name, namespace, uid } = identityOf(pod);
  const sysctls = Object.fromEntries((pod.spec?.securityContext?.sysctls ?? []).map((s) => [s.name, s.value]));
  return compact({
    metadata: { name, namespace, uid, attempt },
    // With the node's network its host name is the node's too, and runtimes refuse another.
    hostname: pod.spec?.hostNetwork ? '' : podHostname(pod),
    logDirectory,
    dnsConfig: dns,
    portMappings: portMappings(pod),
    labels: { ...pod.metadata?.labels, ...podLabels(pod) },
    annotations: {
      ...pod.metadata?.annotations,
      'kubernetes.io/config.source': pod.metadata?.annotations?.['kubernetes.io/config.source'] ?? 'api',
    },
    linux: compact({
      cgroupParent: cgroupParent || undefined,
      securityContext: sandboxSecurityContext(pod),
      sysctls,
    }),
  });
}

function portMappings(pod: Pod): cri.PortMapping[] {
  if (pod.spec?.hostNetwork) return [];
  const containers = [...(pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always'), ...(pod.spec?.containers ?? [])];
  return containers.flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) =>
        compact({
          protocol: (port.protocol ?? 'TCP') as cri.Protocol,
          containerPort: port.containerPort,
          hostPort: port.hostPort ?? 0,
          hostIp: port.hostIP,
        }),
      ),
  );
}
