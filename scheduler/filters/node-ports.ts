// Two pods of one node cannot hold the same host port; 0.0.0.0 holds a port on every address.

import { hostPortsOf, type NodeInfo } from '../snapshot.ts';
import { type Filter, resolvable } from './filter.ts';

const refusal = resolvable("node(s) didn't have free ports for the requested pod ports");

export const nodePorts: Filter = {
  name: 'NodePorts',
  prepare(pod) {
    const wanted = hostPortsOf(pod);
    return wanted.length === 0 ? undefined : (info) => (wanted.some((port) => isHeld(info, port)) ? refusal : undefined);
  },
};

function isHeld(info: NodeInfo, wanted: string): boolean {
  if (info.hostPorts.size === 0) return false;
  const [protocol, address, port] = wanted.split('/') as [string, string, string];
  if (address !== '0.0.0.0') return info.hostPorts.has(wanted) || info.hostPorts.has(`${protocol}/0.0.0.0/${port}`);
  for (const held of info.hostPorts.keys()) if (held.startsWith(`${protocol}/`) && held.endsWith(`/${port}`)) return true;
  return false;
}
