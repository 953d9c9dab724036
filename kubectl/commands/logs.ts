// `logs`: a container's output, followed on demand.

import { type Pod, pods } from '../../api/core.ts';
import { pathOf } from '../../api/kind.ts';
import { type KubectlContext, KubectlError } from '../context.ts';
import { rawGet } from '../raw.ts';

export interface LogsOptions {
  container?: string;
  follow?: boolean;
  previous?: boolean;
  tail?: string;
  since?: string;
  timestamps?: boolean;
  allContainers?: boolean;
}

export async function logs(target: string, options: LogsOptions, context: KubectlContext): Promise<void> {
  const name = target.replace(/^(pods?|po)\//, '');
  const containers = options.allContainers ? await containersOf(name, context) : [options.container];
  for (const container of containers) {
    const response = await rawGet(context, `${pathOf(pods, context.namespace, name, 'log')}?${logQuery(options, container)}`, '*/*');
    for await (const chunk of response.body) context.io.out.write(chunk);
  }
}

async function containersOf(name: string, context: KubectlContext): Promise<string[]> {
  const pod: Pod = await context.client.get(pods, { namespace: context.namespace, name });
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((container) => container.name);
}

function logQuery(options: LogsOptions, container: string | undefined): URLSearchParams {
  const query = new URLSearchParams();
  if (container) query.set('container', container);
  if (options.follow) query.set('follow', 'true');
  if (options.previous) query.set('previous', 'true');
  if (options.timestamps) query.set('timestamps', 'true');
  if (options.tail !== undefined) query.set('tailLines', options.tail);
  if (options.since !== undefined) query.set('sinceSeconds', String(parseSeconds(options.since)));
  return query;
}

/** `90`, `90s`, `5m`, `1h30m`. */
export function parseSeconds(text: string): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text);
  if (!match || text === '') throw new KubectlError(`invalid duration ${JSON.stringify(text)}`);
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
}
