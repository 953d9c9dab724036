// Who may ask a kubelet: the API server and cluster administrators by their certificates, everybody else as the API server
// says, for the subresource of the node that the path stands for.

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import type { DelegatedAccess } from '../../client/delegated-access.ts';

const administrators = 'system:masters';
const apiServerName = 'kube-apiserver-kubelet-client';
const verbs: Record<string, string> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
/** The first segment of a path to what may be read by it; any other path is nodes/proxy's, which also covers the finer ones. */
const subresources: Record<string, string[]> = {
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  checkpoint: ['checkpoint'],
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
};

/** Without `access` only certificates count. @throws StatusError Unauthorized or Forbidden */
export async function authorize(request: IncomingMessage, nodeName: string, access: DelegatedAccess | undefined): Promise<void> {
  const socket = request.socket as TLSSocket;
  if (socket.authorized) {
    const { subject } = socket.getPeerCertificate();
    if (([] as string[]).concat(subject?.O ?? []).includes(administrators) || subject?.CN === apiServerName) return;
  }
  const user = await access?.userOf(request);
  // Kubelets do not know anonymous users.
  if (user ? user.name === 'system:anonymous' : !socket.authorized) throw new StatusError('Unauthorized', 'Unauthorized');
  const verb = verbs[request.method ?? 'GET'] ?? '';
  const [, first = ''] = new URL(request.url ?? '/', 'https://kubelet').pathname.split('/');
  const wanted = subresources[first] ?? ['proxy'];
  for (const subresource of user ? wanted : []) {
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName };
    if (user && (await access?.isAllowed(user, { resourceAttributes }))) return;
  }
  const name = user?.name ?? socket.getPeerCertificate().subject?.CN;
  throw new StatusError('Forbidden', `Forbidden (user=${name}, verb=${verb}, resource=nodes, subresource(s)=[${wanted.join(' ')}])`);
}
