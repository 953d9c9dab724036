// metadata.managedFields of what handlers write: who writes, by which subresource, and what the server resets in such a
// write. It is recorded before the server makes changes of its own, which nobody manages.

import { apiVersionOf } from '../../api/kind.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { fieldManagerName, trackUpdate } from '../apply/track-update.ts';
import type { ApiContext } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ServerParts } from './handler.ts';

/** Sets managedFields of the object that is about to be stored in place of `old`. Mutates `object`. */
export type Track = (object: KubeObject, old: KubeObject | undefined) => KubeObject;

/** Tracks what the request at hand writes. */
export function trackerOf(ctx: ApiContext, served: Served, server: ServerParts, subresource = ''): Track {
  const { kind, schema } = served;
  const manager = fieldManagerName(ctx.state.query.get('fieldManager') ?? undefined, ctx.req.headers['user-agent']);
  const resets = resetFieldsOf(served, subresource);
  return (object, old) => {
    const time = timestamp(server.clock);
    const entries = trackUpdate({ old, new: object, manager, subresource, apiVersion: apiVersionOf(kind), time, schema, resets });
    object.metadata ??= {};
    const metadata: ObjectMeta = object.metadata;
    if (entries) metadata.managedFields = entries;
    else delete metadata.managedFields;
    return object;
  };
}

/** What a write by `subresource` ('' for the object itself) cannot change. */
export function resetFieldsOf({ declaration }: Served, subresource: string): readonly string[] {
  if (subresource === 'status') return ['spec'];
  return declaration.status ? ['status'] : [];
}
