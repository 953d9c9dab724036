// `get`: Tables by default, or the objects as YAML, JSON or names.

import { stringify } from 'yaml';
import { pathOf } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import { readBody } from '../../client/transport.ts';
import { type KubectlContext, KubectlError } from '../context.ts';
import type { DiscoveredKind } from '../discovery.ts';
import { linesOf, rawGet } from '../raw.ts';
import { renderTable, type Table } from '../table.ts';
import { displayName, parseTargets, type Target } from '../targets.ts';

export interface GetOptions {
  output?: string;
  selector?: string;
  fieldSelector?: string;
  allNamespaces?: boolean;
  watch?: boolean;
  showLabels?: boolean;
  headers?: boolean;
}

const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export async function get(args: readonly string[], options: GetOptions, context: KubectlContext): Promise<void> {
  const targets = parseTargets(args, context.discovery);
  const output = options.output ?? '';
  if (!['', 'wide', 'yaml', 'json', 'name'].includes(output))
    throw new KubectlError(
      `unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: json,name,wide,yaml`,
    );
  if (output === '' || output === 'wide') return printTables(targets, options, context);
  const objects = (await Promise.all(targets.map((target) => fetchObjects(target, options, context)))).flat();
  if (output === 'name') {
    for (const { kind, object } of objects) context.io.out.write(`${displayName(kind, object.metadata?.name ?? '')}\n`);
    return;
  }
  const isSingle = targets.length === 1 && targets[0]?.name !== undefined;
  const shown = isSingle
    ? objects[0]?.object
    : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: objects.map(({ object }) => object) };
  context.io.out.write(
    output === 'json' ? `${JSON.stringify(shown, null, 4)}\n` : stringify(shown, { sortMapEntries: true, lineWidth: 0 }),
  );
}

async function printTables(targets: readonly Target[], options: GetOptions, context: KubectlContext): Promise<void> {
  let printed = 0;
  const namePrefix = (kind: DiscoveredKind) => (targets.length > 1 ? displayName(kind, '') : '');
  for (const target of targets) {
    const path = `${targetPath(target, options, context)}`;
    const table = JSON.parse((await readBody(await rawGet(context, path, tableAccept))).toString()) as Table & {
      metadata?: { resourceVersion?: string };
    };
    const tableOptions = {
      wide: options.output === 'wide',
      withNamespace: Boolean(options.allNamespaces) && target.kind.namespaced,
      withLabels: Boolean(options.showLabels),
      namePrefix: namePrefix(target.kind),
    };
    if (table.rows.length > 0) {
      const isBlockOfTypes = targets.length > 1 && targets.some(({ kind }) => kind !== target.kind);
      context.io.out.write(
        (printed > 0 && isBlockOfTypes ? '\n' : '') +
          renderTable(table, { ...tableOptions, withHeader: options.headers !== false && (printed === 0 || isBlockOfTypes) }),
      );
      printed += table.rows.length;
    }
    if (options.watch) await watchTable(target, table.metadata?.resourceVersion ?? '', tableOptions, options, context);
  }
  if (printed === 0 && !options.watch) {
    const isScoped = targets.some(({ kind }) => kind.namespaced) && !options.allNamespaces;
    context.io.err.write(isScoped ? `No resources found in ${context.namespace} namespace.\n` : 'No resources found\n');
  }
}

async function watchTable(
  target: Target,
  resourceVersion: string,
  tableOptions: Omit<Parameters<typeof renderTable>[1], 'withHeader'>,
  options: GetOptions,
  context: KubectlContext,
): Promise<void> {
  const base = targetPath(
    { kind: target.kind, name: undefined },
    { ...options, ...(target.name ? { fieldSelector: `metadata.name=${target.name}` } : {}) },
    context,
  );
  const path = `${base}${base.includes('?') ? '&' : '?'}watch=1&resourceVersion=${resourceVersion}`;
  let columnDefinitions: Table['columnDefinitions'] = [];
  for await (const line of linesOf((await rawGet(context, path, tableAccept)).body)) {
    const event = JSON.parse(line) as { type: string; object: Table & { message?: string } };
    if (event.type === 'ERROR') throw new KubectlError(event.object.message ?? 'the watch has ended');
    if (event.type === 'BOOKMARK') continue;
    if (event.object.columnDefinitions?.length) columnDefinitions = event.object.columnDefinitions;
    context.io.out.write(renderTable({ columnDefinitions, rows: event.object.rows }, { ...tableOptions, withHeader: false }));
  }
}

export function targetPath({ kind, name }: Target, options: GetOptions, context: KubectlContext): string {
  const namespace = options.allNamespaces ? undefined : context.namespace;
  const query = new URLSearchParams();
  if (name !== undefined && options.allNamespaces) throw new KubectlError('a resource cannot be retrieved by name across all namespaces');
  if (options.selector) query.set('labelSelector', options.selector);
  if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
  const text = query.size > 0 && name === undefined ? `?${query}` : '';
  return pathOf(kind, namespace, name) + text;
}

/** The objects a target means. */
export async function fetchObjects(
  target: Target,
  options: GetOptions,
  context: KubectlContext,
): Promise<{ kind: DiscoveredKind; object: KubeObject }[]> {
  const { kind, name } = target;
  if (name !== undefined) return [{ kind, object: await context.client.get(kind, { namespace: context.namespace, name }) }];
  const list = await context.client.list(kind, {
    ...(options.allNamespaces ? {} : { namespace: context.namespace }),
    ...(options.selector ? { labelSelector: options.selector } : {}),
    ...(options.fieldSelector ? { fieldSelector: options.fieldSelector } : {}),
  });
  return list.items.map((object) => ({
    kind,
    object: { apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version, kind: kind.kind, ...object },
  }));
}
