// A pod's log, exec, attach and portforward: found out which container is meant, and handed on to the kubelet.

import { nodes, type Pod } from '../../api/core.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { badRequestError, invalidError } from '../../api/status.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';
import { type ApiContext, send } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { kubeletTarget } from './kubelet-connection.ts';
import { proxyRequest, type Target } from './proxy-request.ts';
import { readBoolean } from './query-values.ts';

export const podLog: ResourceHandler = async (ctx, served, server) => {
  const pod = await podOf(ctx, served);
  const { query } = ctx.state;
  const container = containerOf(pod, query.get('container'));
  checkLogOptions(query);
  // A pod that is on no node yet has said nothing.
  if (!pod.spec?.nodeName) return send(ctx, 200, 'text/plain', '');
  const parameters = new URLSearchParams();
  for (const name of ['follow', 'previous', 'timestamps']) if (readBoolean(query.get(name))) parameters.set(name, 'true');
  for (const name of ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream']) {
    const value = query.get(name);
    if (value) parameters.set(name, value);
  }
  const target = await onKubelet(server, pod, `/containerLogs/${pathOfPod(pod)}/${container}`, parameters);
  return proxyRequest(ctx, target, { checkStatus: true });
};

/** exec and attach: the standard streams of a container. */
function streamHandler(endpoint: 'exec' | 'attach'): ResourceHandler {
  return async (ctx, served, server) => {
    const pod = await podOf(ctx, served);
    const { query } = ctx.state;
    const container = containerOf(pod, query.get('container'));
    const parameters = new URLSearchParams();
    for (const [ours, kubelets] of [
      ['stdin', 'input'],
      ['stdout', 'output'],
      ['stderr', 'error'],
      ['tty', 'tty'],
    ] as const) {
      if (readBoolean(query.get(ours))) parameters.set(kubelets, '1');
    }
    for (const word of query.getAll('command')) parameters.append('command', word);
    if (endpoint === 'exec' && !parameters.has('command')) throw badRequestError('you must specify at least 1 command for the container');
    checkUpgrade(ctx);
    return proxyRequest(ctx, await onKubelet(server, pod, `/${endpoint}/${pathOfPod(pod)}/${container}`, parameters));
  };
}

export const podExec = streamHandler('exec');
export const podAttach = streamHandler('attach');

export const podPortForward: ResourceHandler = async (ctx, served, server) => {
  const pod = await podOf(ctx, served);
  checkUpgrade(ctx);
  const parameters = new URLSearchParams();
  for (const port of ctx.state.query.getAll('ports')) parameters.append('port', port);
  return proxyRequest(ctx, await onKubelet(server, pod, `/portForward/${pathOfPod(pod)}`, parameters));
};

function checkUpgrade(ctx: ApiContext): void {
  if (!ctx.state.exchange.upgrade) throw badRequestError('Upgrade request required');
}

async function podOf(ctx: ApiContext, served: Served): Promise<Pod> {
  return (await served.registry.current(ctx.state.info.namespace, ctx.state.info.name)).parse() as Pod;
}

const pathOfPod = (pod: Pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`;

async function onKubelet(server: ServerParts, pod: Pod, path: string, parameters: URLSearchParams): Promise<Target> {
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) throw badRequestError(`pod ${pod.metadata?.name} does not have a host assigned`);
  const served = server.resources.ofKind(nodes);
  if (!served) throw badRequestError('nodes are not served');
  const node = (await served.registry.current('', nodeName)).parse();
  const query = parameters.size ? `?${parameters}` : '';
  return kubeletTarget(server.kubelet, node, path + query);
}

/** The container that is meant: the only one, or the one that was named. @throws StatusError BadRequest */
function containerOf(pod: Pod, asked: string | null): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const names = containers.map((container) => container.name);
  const initNames = initContainers.map((container) => container.name);
  const podName = pod.metadata?.name;
  if (asked) {
    const isKnown = [...names, ...initNames, ...ephemeralContainers.map((container) => container.name)].includes(asked);
    if (!isKnown) throw badRequestError(`container ${asked} is not valid for pod ${podName}`);
    return asked;
  }
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return only;
  const marked = pod.metadata?.annotations?.['kubectl.kubernetes.io/default-container'];
  if (marked && names.includes(marked)) return marked;
  const alternatives = initNames.length ? ` or one of the init containers: [${initNames.join(' ')}]` : '';
  throw badRequestError(`a container name must be specified for pod ${podName}, choose one of: [${names.join(' ')}]${alternatives}`);
}

function checkLogOptions(query: URLSearchParams): void {
  const errors: FieldError[] = [];
  const number = (name: string) => (query.get(name) ? Number(query.get(name)) : undefined);
  const [tailLines, sinceSeconds, limitBytes] = [number('tailLines'), number('sinceSeconds'), number('limitBytes')];
  if (tailLines !== undefined && tailLines < 0) errors.push(invalid('tailLines', tailLines, negativeMessage));
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalid('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceSeconds < 1) errors.push(invalid('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  if (errors.length) throw invalidError({ group: '', kind: 'PodLogOptions', plural: 'podlogoptions' }, '', errors);
}
