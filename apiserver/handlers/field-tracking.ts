// metadata.managedFields of what handlers write: who writes, by which subresource, and what the server resets in such a
// write. It is recorded before the server makes changes of its own, which nobody manages.

import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import type { ResetFields } from '../apply/ignored-fields.ts';
import { fieldManagerName, trackUpdate } from '../apply/track-update.ts';
import type { ApiContext } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import { versionsOf } from '../registry/served-versions.ts';
import type { ServerParts } from './handler.ts';

/** Sets managedFields of the object that is about to be stored in place of `old`. Mutates `object`. */
export type Track = (object: KubeObject, old: KubeObject | undefined) => Promise<KubeObject>;

/** Tracks what the request at hand writes. */
export function trackerOf(ctx: ApiContext, served: Served, server: ServerParts, subresource = ''): Track {
  const manager = fieldManagerName(ctx.state.query.get('fieldManager') ?? undefined, ctx.req.headers['user-agent']);
  const resets = resetFieldsOf(served, subresource);
  const versions = versionsOf(served, server.resources);
  return async (object, old) => {
    const time = timestamp(server.clock);
    const entries = await trackUpdate({ old, new: object, manager, subresource, versions, time, resets });
    object.metadata ??= {};
    const metadata: ObjectMeta = object.metadata;
    if (entries) metadata.managedFields = entries;
    else delete metadata.managedFields;
    return object;
  };
}

const spec: ResetFields = ['spec'];
const status: ResetFields = ['status'];
const nothing: ResetFields = [];

/** What a write by `subresource` ('' for the object itself) cannot change. */
export function resetFieldsOf({ declaration }: Served, subresource: string): ResetFields {
  if (subresource === 'status') return declaration.status?.resets ?? spec;
  return declaration.subresources?.[subresource]?.resets ?? (declaration.status ? status : nothing);
}
