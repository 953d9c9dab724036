// Makes, deletes, adopts and releases pods for an owner, and tells of it in events: for every controller of pods.

import { type Pod, type PodTemplateSpec, pods } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { controllerReference } from '../../api/owners.ts';
import { isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Client } from '../../client/client.ts';
import type { ReconcileContext } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/events.ts';

export interface PodControl {
  /** @throws StatusError after a FailedCreate event; a namespace that is being deleted is no failure */
  create(pod: Pod): Promise<void>;
  /** @throws StatusError after a FailedDelete event; a pod that is gone already is no failure */
  delete(pod: Pod): Promise<void>;
  adopt(pod: Pod): Promise<void>;
  release(pod: Pod): Promise<void>;
}

export function podControl(kind: Kind, owner: KubeObject, { api, events }: { api: Client; events: EventRecorder }): PodControl {
  const namespace = owner.metadata?.namespace ?? '';
  const at = (pod: Pod) => ({ namespace, name: pod.metadata?.name ?? '' });
  const uidOf = (pod: Pod) => pod.metadata?.uid ?? '';
  return {
    async create(pod) {
      try {
        const created = await api.create(pods, pod);
        events.record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata?.name}`);
      } catch (error) {
        if (isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return;
        events.record(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        throw error;
      }
    },
    async delete(pod) {
      try {
        await api.delete(pods, at(pod), { preconditions: { uid: uidOf(pod) } });
        events.record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata?.name}`);
      } catch (error) {
        if (isStatus(error, 'NotFound', 'Conflict')) return;
        events.record(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        throw error;
      }
    },
    async adopt(pod) {
      const patch = { metadata: { uid: uidOf(pod), ownerReferences: [controllerReference(kind, owner)] } };
      await api.patch(pods, at(pod), 'strategic', patch);
    },
    async release(pod) {
      const patch = { metadata: { uid: uidOf(pod), ownerReferences: [{ $patch: 'delete', uid: owner.metadata?.uid }] } };
      try {
        await api.patch(pods, at(pod), 'strategic', patch);
      } catch (error) {
        // Gone, or its references are others' by now: either way it is not ours any more.
        if (!isStatus(error, 'NotFound', 'Invalid')) throw error;
      }
    },
  };
}

/** A pod of `template`, controlled by `owner`, with a name that the server makes up. */
export function podFromTemplate(kind: Kind, owner: KubeObject, template: PodTemplateSpec | undefined): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata?.name}-`,
      namespace: owner.metadata?.namespace ?? '',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(kind, owner)],
    },
    ...(template?.spec ? { spec: template.spec } : {}),
  };
}

/**
 * Whether `owner` may still adopt, asked of the server itself: by the cache it might be long gone.
 * @throws Error when it may not
 */
export async function checkMayAdopt(kind: Kind, owner: KubeObject, { api }: Pick<ReconcileContext, 'api'>): Promise<void> {
  const { namespace, name = '', uid } = owner.metadata ?? {};
  const fresh = await api.get(kind, { namespace, name });
  if (fresh.metadata?.uid !== uid)
    throw new Error(`original ${kind.kind} ${namespace}/${name} is gone: got uid ${fresh.metadata?.uid}, wanted ${uid}`);
  if (fresh.metadata?.deletionTimestamp)
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
