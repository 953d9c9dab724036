// POST to a pod's `binding`: a scheduler puts the pod on a node, once.

import { type Pod, pods } from '../../api/core.ts';
import { type FieldError, notSupported, required } from '../../api/field-error.ts';
import { conflictError, invalidError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import type { ApiContext } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson } from '../negotiate/render.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import { bodyBytesMax, contentTypeOf, type ResourceHandler, readFieldValidation, readWriteRequest, unknownResource } from './handler.ts';
import { admitPosted } from './subresource-admission.ts';

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}

const bindingKind = { group: '', version: 'v1', kind: 'Binding', plural: 'bindings' };
const success = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });

/** Binds the pod of the path, or of a binding posted to their own collection. */
export const bindPod: ResourceHandler = async (ctx, served, server) => {
  const request = readWriteRequest(ctx, 'create');
  const binding = await readBinding(ctx);
  const validate = await admitPosted(ctx, served, server, { object: binding, objectKind: bindingKind, request });
  const podName = ctx.state.info.name || (binding.metadata?.name ?? '');
  checkBinding(binding, podName);
  await validate();
  const registry = server.resources.ofKind(pods)?.registry;
  if (!registry) throw unknownResource();
  const nodeName = binding.target?.name ?? '';
  const { uid, resourceVersion, annotations, labels } = binding.metadata ?? {};
  const produce = (old: KubeObject | undefined) => {
    const pod = old as Pod & KubeObject;
    const refuse = (why: string) => conflictError({ group: '', plural: 'pods/binding', kind: 'Binding' }, podName, why);
    if (pod.metadata?.deletionTimestamp) throw refuse(`pod ${podName} is being deleted, cannot be assigned to a host`);
    if (pod.spec?.nodeName) throw refuse(`pod ${podName} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
    if (pod.spec?.schedulingGates?.length) throw refuse(`pod ${podName} has non-empty .spec.schedulingGates`);
    if (!pod.spec) throw refuse(`pod ${podName} has no spec`);
    pod.spec.nodeName = nodeName;
    const meta = pod.metadata ?? {};
    pod.metadata = meta;
    if (annotations) meta.annotations = { ...meta.annotations, ...annotations };
    if (labels) meta.labels = { ...meta.labels, ...labels };
    if (uid) meta.uid = uid;
    if (resourceVersion) meta.resourceVersion = resourceVersion;
    const others = pod.status?.conditions?.filter((condition) => condition.type !== 'PodScheduled') ?? [];
    const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(server.clock) };
    pod.status = { ...pod.status, conditions: [...others, scheduled] };
    return pod;
  };
  await registry.update(podName, { ...request, isAdmitted: false }, produce, { strategy: { subresource: 'binding' } });
  return sendJson(ctx, 201, success, readAccept(ctx.req.headers.accept, false, 'all'));
};

async function readBinding(ctx: ApiContext): Promise<Binding> {
  const schema = schemaOf(bindingKind.group, bindingKind.version, bindingKind.kind);
  if (!schema) throw new Error('no schema for Binding');
  const { object } = decodeBody(await ctx.state.exchange.body(bodyBytesMax), {
    contentType: contentTypeOf(ctx),
    kind: bindingKind,
    schema,
    fieldValidation: readFieldValidation(ctx),
  });
  return object as Binding;
}

function checkBinding({ target }: Binding, podName: string): void {
  const errors: FieldError[] = [];
  if (target?.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']));
  if (!target?.name) errors.push(required('target.name'));
  if (errors.length) throw invalidError(bindingKind, podName, errors);
}
