// autoscaling/v1 Scale at `/scale`: a view of any kind that has replicas.

import { invalid } from '../../api/field-error.ts';
import { stringifyJson, throughJson } from '../../api/json.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { badRequestError, invalidError } from '../../api/status.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';
import type { KubeObject } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { applyPatch } from '../apply/apply-patch.ts';
import { onlyVersion } from '../apply/kind-versions.ts';
import { scaleApiVersion, toParentEntries, toScaleEntries } from '../apply/scale-fields.ts';
import { fieldManagerName, trackUpdate } from '../apply/track-update.ts';
import type { ApiContext } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { readIncludeObject, sendJson } from '../negotiate/render.ts';
import { partialJson, tableJson } from '../negotiate/table.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { ageColumn, integer, nameColumn } from '../resources/columns.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { decodeBody } from '../schema/decode.ts';
import type { ObjectNode } from '../schema/node.ts';
import { schemaOf } from '../schema/schema.ts';
import { readApply } from './apply.ts';
import {
  applyPatchType,
  bodyBytesMax,
  contentTypeOf,
  type ResourceHandler,
  readFieldValidation,
  readWriteRequest,
  type ServerParts,
} from './handler.ts';
import { mediaTypeOf, readPatch } from './patch.ts';

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale', plural: 'scales' };

function scaleSchema(): ObjectNode {
  const schema = schemaOf(scaleKind.group, scaleKind.version, scaleKind.kind);
  if (!schema) throw new Error('no schema for Scale');
  return schema;
}

const scaleVersions = () => onlyVersion(scaleApiVersion, scaleSchema());

type ScaleAccess = NonNullable<ResourceDeclaration['scale']>;

function scaleOf(object: KubeObject, access: ScaleAccess): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const replicas = access.specReplicas(object);
  const selector = access.selector(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })) as NonNullable<
      KubeObject['metadata']
    >,
    spec: replicas ? { replicas } : {},
    status: { replicas: access.statusReplicas(object), ...(selector ? { selector } : {}) },
  };
}

const accessOf = (served: Served) => served.declaration.scale as ScaleAccess;

function sendScale(ctx: ApiContext, server: ServerParts, object: KubeObject, access: ScaleAccess): Promise<void> {
  const accepted = readAccept(ctx.req.headers.accept, true, 'all');
  const scale = scaleOf(object, access);
  const wire = Buffer.from(stringifyJson(scale));
  if (accepted.as === 'Table') {
    const { resourceVersion } = scale.metadata ?? {};
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs: server.clock.nowMs() };
    const rows = [{ parse: () => scale, wire }];
    return sendJson(ctx, 200, tableJson({ columns: scaleColumns }, rows, resourceVersion ? { resourceVersion } : {}, options), accepted);
  }
  return sendJson(ctx, 200, accepted.as ? partialJson(scale, accepted.asVersion) : wire, accepted);
}

const scaleColumns: ResourceDeclaration['columns'] = [
  nameColumn(),
  integer<Scale>('Desired', 'The desired number of replicas.', (scale) => scale.spec?.replicas),
  integer<Scale>('Available', 'The number of replicas that were observed.', (scale) => scale.status?.replicas),
  ageColumn(),
];

export const getScale: ResourceHandler = async (ctx, served, server) => {
  const stored = await served.registry.current(ctx.state.info.namespace, ctx.state.info.name);
  const object = stored.parse();
  const access = accessOf(served);
  if (access.absent && access.specReplicas(object) === undefined) throw access.absent.onRead();
  return sendScale(ctx, server, object, access);
};

export const updateScale: ResourceHandler = async (ctx, served, server) => {
  const request = readWriteRequest(ctx, 'update');
  const { object, warnings } = decodeBody(await ctx.state.exchange.body(bodyBytesMax), {
    contentType: contentTypeOf(ctx),
    kind: scaleKind,
    schema: scaleSchema(),
    fieldValidation: readFieldValidation(ctx),
  });
  for (const warning of warnings) ctx.state.warnings.add(warning);
  if (object.metadata?.name !== ctx.state.info.name) {
    throw badRequestError(
      `the name of the object (${object.metadata?.name ?? ''}) does not match the name on the URL (${ctx.state.info.name})`,
    );
  }
  return changeScale(ctx, served, server, { request, change: () => object as Scale });
};

export const patchScale: ResourceHandler = async (ctx, served, server) => {
  const request = readWriteRequest(ctx, 'patch');
  if (mediaTypeOf(ctx) !== applyPatchType) {
    const patch = await readPatch(ctx, scaleKind, scaleSchema());
    return changeScale(ctx, served, server, { request, change: (old) => patch(old) as Scale, isPatch: true });
  }
  const apply = await readApply(ctx);
  const own = { kind: scaleKind.kind, subresource: 'scale', versions: scaleVersions(), resets: [] };
  const change = async (old: Scale) => (await applyPatch({ ...apply, ...own, live: old, time: timestamp(server.clock) })) as Scale;
  return changeScale(ctx, served, server, { request, change, isPatch: true, isTracked: true });
};

interface ScaleChange {
  request: ReturnType<typeof readWriteRequest>;
  change(old: Scale): Scale | Promise<Scale>;
  isPatch?: boolean;
  /** `change` has set managedFields itself. */
  isTracked?: boolean;
}

async function changeScale(ctx: ApiContext, served: Served, server: ServerParts, scaleChange: ScaleChange): Promise<void> {
  const { request, change, isPatch = false, isTracked = false } = scaleChange;
  const access = accessOf(served);
  const seenAs = {
    kind: scaleKind,
    of: (object: KubeObject) => scaleOf(object, access),
    apply: (scale: KubeObject, object: KubeObject) => access.setReplicas(object, (scale as Scale).spec?.replicas ?? 0),
  };
  const strategy: UpdateStrategy = { ...served.registry.mainStrategy, subresource: 'scale', seenAs };
  const { info, query } = ctx.state;
  const manager = fieldManagerName(query.get('fieldManager') ?? undefined, ctx.req.headers['user-agent']);
  const apiVersion = apiVersionOf(served.kind);
  const paths = access.replicasPaths ?? { [apiVersion]: ['f:spec', 'f:replicas'] };
  const produce = async (old: KubeObject | undefined) => {
    const before = old as KubeObject;
    const object = throughJson(before);
    const live = scaleOf(object, access);
    const managedFields = toScaleEntries(before.metadata?.managedFields, paths);
    if (managedFields) live.metadata = { ...live.metadata, managedFields };
    const scale = await change(throughJson(live));
    const isUnsaid = isPatch && scale.spec?.replicas === undefined;
    if (access.absent && isUnsaid && access.specReplicas(before) === undefined) throw access.absent.onWrite();
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas < 0 && !served.declaration.isCustom)
      throw invalidError(scaleKind, info.name, [invalid('spec.replicas', replicas, negativeMessage)]);
    access.setReplicas(object, replicas);
    const { uid, resourceVersion } = scale.metadata ?? {};
    object.metadata = { ...object.metadata, ...(uid ? { uid } : {}) };
    if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
    else delete object.metadata.resourceVersion;
    const time = timestamp(server.clock);
    const tracking = { old: live, new: scale, manager, subresource: 'scale', versions: scaleVersions(), time };
    const scaleEntries = isTracked ? scale.metadata?.managedFields : await trackUpdate({ ...tracking, resets: [] });
    const entries = toParentEntries(before.metadata?.managedFields, scaleEntries, { paths, apiVersion });
    if (entries) object.metadata.managedFields = entries;
    else delete object.metadata.managedFields;
    return object;
  };
  const { object } = await served.registry.update(info.name, request, produce, { strategy });
  return sendScale(ctx, server, object.parse(), access);
}
