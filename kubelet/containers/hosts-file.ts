// /etc/hosts of a pod: its own addresses and host aliases, or the node's file with the aliases added.

import type { Pod } from '../../api/core.ts';
import { podHostname } from './sandbox-config.ts';

const header = '# Kubernetes-managed hosts file.\n';
const headerHostNetwork = '# Kubernetes-managed hosts file (host network).\n';

/** `nodeHosts` is the node's own file, for pods on its network. */
export function hostsFile(pod: Pod, podIps: readonly string[], nodeHosts: string, clusterDomain: string): string {
  if (pod.spec?.hostNetwork) return headerHostNetwork + nodeHosts + aliases(pod);
  const hostname = podHostname(pod);
  const subdomain = pod.spec?.subdomain;
  const namespace = pod.metadata?.namespace ?? 'default';
  const qualified = subdomain ? `${hostname}.${subdomain}.${namespace}.svc.${clusterDomain}` : '';
  const local = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
  ];
  const own = podIps.map((ip) => (qualified ? `${ip}\t${qualified}\t${hostname}` : `${ip}\t${hostname}`));
  return `${header}${[...local, ...own].join('\n')}\n${aliases(pod)}`;
}

function aliases(pod: Pod): string {
  const list = pod.spec?.hostAliases ?? [];
  if (list.length === 0) return '';
  return `\n# Entries added by HostAliases.\n${list.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}`).join('\n')}\n`;
}
