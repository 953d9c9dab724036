// How the API server reaches the kubelet's HTTPS server of a node, with a client certificate of its own.

import type { Node } from '../../api/core.ts';
import { StatusError } from '../../api/status.ts';
import type { Target } from './proxy-request.ts';

export interface KubeletConnection {
  /** PEM of the client certificate that kubelets know the API server by. */
  cert: string;
  key: string;
  /** PEM of the authority that signed the kubelets' serving certificates. */
  ca: string;
}

const kubeletPort = 10250;
const addressTypes = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];

/** A path on a node's kubelet. @throws StatusError when there is no way to it */
export function kubeletTarget(connection: KubeletConnection | undefined, node: Node, path: string): Target {
  const name = node.metadata?.name ?? '';
  if (!connection) throw new StatusError('ServiceUnavailable', `no kubelet can be reached: node ${name} has no kubelet server`);
  const addresses = node.status?.addresses ?? [];
  const host = addressTypes.map((type) => addresses.find((address) => address.type === type)?.address).find((address) => address);
  if (!host) throw new StatusError('InternalError', `Internal error occurred: no preferred addresses found; known addresses: []`);
  const endpoint = node.status?.daemonEndpoints?.kubeletEndpoint as { Port?: number } | undefined;
  // The kubelet's certificate carries the node's name, whichever address it was reached by.
  return { isTls: true, host, port: endpoint?.Port || kubeletPort, path, tls: { ...connection, servername: name } };
}
