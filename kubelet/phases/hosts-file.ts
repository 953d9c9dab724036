// The pod's /etc/hosts, which needs its addresses.

import { readFile, writeFile } from 'node:fs/promises';
import { hostsFile } from '../containers/hosts-file.ts';
import { hostsFilePath } from '../directories.ts';
import { identityOf } from '../pods/names.ts';
import type { PodPhase } from './phase.ts';

export const hostsFilePhase: PodPhase = {
  name: 'hosts-file',
  async run({ context, pod, podIps }) {
    const nodeHosts = pod.spec?.hostNetwork ? await readNodeHosts() : '';
    const text = hostsFile(pod, podIps, nodeHosts, context.clusterDns?.domain ?? 'cluster.local');
    await writeFile(hostsFilePath(context.directories, identityOf(pod).uid), text, { mode: 0o644 });
  },
};

const readNodeHosts = () =>
  readFile('/etc/hosts', 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
