// `describe`: an object's fields as an indented outline, the same for every kind, and the events about it.

import { type CoreEvent, events } from '../../api/core.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { KubectlContext } from '../context.ts';
import { renderColumns } from '../table.ts';
import { parseTargets } from '../targets.ts';
import { fetchObjects } from './get.ts';

export interface DescribeOptions {
  selector?: string;
}

export async function describe(args: readonly string[], options: DescribeOptions, context: KubectlContext): Promise<void> {
  let isFirst = true;
  for (const target of parseTargets(args, context.discovery)) {
    for (const { object } of await fetchObjects(target, options, context)) {
      if (!isFirst) context.io.out.write('\n\n');
      isFirst = false;
      context.io.out.write(renderObject(object) + (await renderEvents(object, context)));
    }
  }
}

export function renderObject(object: KubeObject): string {
  const { metadata = {}, apiVersion, kind, ...rest } = object as KubeObject & Record<string, unknown>;
  const { name, namespace, labels, annotations, creationTimestamp, deletionTimestamp, ownerReferences } = metadata;
  const controller = ownerReferences?.find((reference) => reference.controller);
  const head: Record<string, unknown> = {
    name,
    ...(namespace ? { namespace } : {}),
    'API version': apiVersion,
    kind,
    labels: labels ?? '<none>',
    annotations: annotations ?? '<none>',
    created: creationTimestamp,
    ...(deletionTimestamp ? { 'terminating since': deletionTimestamp } : {}),
    ...(controller ? { 'controlled by': `${controller.kind}/${controller.name}` } : {}),
  };
  return outline({ ...head, ...rest }, '');
}

/** `fieldName` becomes `Field Name`; maps and lists are indented under their name. */
function outline(value: Record<string, unknown>, indent: string): string {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined && each !== null);
  const width = Math.max(0, ...entries.filter(([, each]) => typeof each !== 'object').map(([key]) => titleOf(key).length));
  return entries
    .map(([key, each]) => {
      const title = `${indent}${titleOf(key)}:`;
      if (typeof each !== 'object') return `${title.padEnd(indent.length + width + 3)}${String(each).replaceAll('\n', `\n${indent}  `)}\n`;
      if (Array.isArray(each)) return `${title}\n${each.map((item) => listItem(item, `${indent}  `)).join('')}`;
      return `${title}\n${outline(each as Record<string, unknown>, `${indent}  `)}`;
    })
    .join('');
}

function listItem(item: unknown, indent: string): string {
  if (typeof item !== 'object' || item === null) return `${indent}${String(item)}\n`;
  const { name, type, ...rest } = item as Record<string, unknown>;
  const title = name ?? type;
  return title === undefined
    ? `${outline(rest, indent)}\n`
    : `${indent}${String(title)}:\n${outline(name !== undefined && type !== undefined ? { type, ...rest } : rest, `${indent}  `)}`;
}

/** Labels and the like keep their own spelling. */
function titleOf(key: string): string {
  if (!/^[a-z]+[A-Za-z0-9 ]*$/.test(key)) return key;
  return key.charAt(0).toUpperCase() + key.slice(1).replace(/([a-z0-9])([A-Z])/g, '$1 $2');
}

async function renderEvents(object: KubeObject, context: KubectlContext): Promise<string> {
  const { uid, namespace = 'default' } = object.metadata ?? {};
  const list = await context.client.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid}` });
  if (list.items.length === 0) return 'Events:  <none>\n';
  const rows = [...list.items]
    .sort((a, b) => lastSeen(a).localeCompare(lastSeen(b)))
    .map((event) => [
      `  ${event.type ?? ''}`,
      event.reason ?? '',
      lastSeen(event),
      event.source?.component ?? event.reportingComponent ?? '',
      (event.message ?? '').trim(),
    ]);
  return `Events:\n${renderColumns([['  Type', 'Reason', 'Last Seen', 'From', 'Message'], ...rows])}`;
}

const lastSeen = (event: CoreEvent): string =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';
