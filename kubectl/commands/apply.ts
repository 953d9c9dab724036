// `apply`: server-side apply of manifests, field manager `kubectl`; says of each object what came of it.

import { isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type KubectlContext, KubectlError } from '../context.ts';
import { readManifests } from '../manifests.ts';
import { displayName } from '../targets.ts';

export interface ApplyOptions {
  filename?: string[];
  recursive?: boolean;
  forceConflicts?: boolean;
  dryRun?: string;
  fieldManager?: string;
}

/** Applies all it can; the objects that failed are reported together at the end. */
export async function apply(options: ApplyOptions, context: KubectlContext): Promise<void> {
  const manifests = await readManifests(options.filename ?? [], { recursive: Boolean(options.recursive), io: context.io });
  const isDryRun = options.dryRun === 'server';
  if (options.dryRun !== undefined && !isDryRun && options.dryRun !== 'none')
    throw new KubectlError(`Invalid dry-run value (${options.dryRun}). Must be "server" or "none".`);
  const failures: string[] = [];
  for (const { object, source } of manifests) {
    const kind = context.discovery.ofManifest(object.apiVersion, object.kind);
    const name = object.metadata?.name;
    if (!name) throw new KubectlError(`error when retrieving current configuration from ${source}: resource name may not be empty`);
    const namespace = object.metadata?.namespace ?? context.namespace;
    try {
      const before = await context.client.get(kind, { namespace, name }).catch((error: unknown) => {
        if (isStatus(error, 'NotFound')) return undefined;
        throw error;
      });
      const after = await context.client.patch(kind, { namespace, name }, 'apply', object, {
        fieldManager: options.fieldManager ?? 'kubectl',
        force: Boolean(options.forceConflicts),
        ...(isDryRun ? { dryRun: true } : {}),
      });
      const isSame = before !== undefined && desiredText(before) === desiredText(after);
      const what = !before ? 'created' : isSame ? 'unchanged' : 'configured';
      context.io.out.write(`${displayName(kind, name)} ${what}${isDryRun ? ' (server dry run)' : ''}\n`);
    } catch (error) {
      if (!isStatus(error)) throw error;
      failures.push(`error when applying ${source}: ${error.message}`);
    }
  }
  if (failures.length > 0) throw new KubectlError(failures.join('\nerror: '));
}

/** What an applier can change: the status and the bookkeeping of others may move at any time. */
function desiredText(object: KubeObject): string {
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown };
  const { resourceVersion: _resourceVersion, managedFields: _managedFields, ...metadata } = rest.metadata ?? {};
  return JSON.stringify({ ...rest, metadata });
}
