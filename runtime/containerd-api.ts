// containerd's own services beside CRI on the same socket, as methods to call: events, content, images, leases.

import { loadProto, messageOf, methodOf } from './grpc.ts';

const proto = loadProto('containerd.proto');
const method = (service: string, name: string) =>
  methodOf(proto, `containerd.${service}`, name, `/containerd.services.${service.toLowerCase()}.v1.${service}/${name}`);

/** The namespace in which CRI keeps what it makes; a header of every call. */
export const criNamespace = { 'containerd-namespace': 'k8s.io' };

export const containerdApi = {
  events: { publish: method('Events', 'Publish'), subscribe: method('Events', 'Subscribe') },
  content: { write: method('Content', 'Write'), read: method('Content', 'Read'), update: method('Content', 'Update') },
  images: { create: method('Images', 'Create'), update: method('Images', 'Update') },
  leases: { create: method('Leases', 'Create'), delete: method('Leases', 'Delete') },
};

export interface Envelope {
  topic: string;
  event?: { typeUrl: string; value: Buffer };
}

/** The container an event of a task or a container is about. */
export function containerOf(envelope: Envelope): string {
  const subject = messageOf(proto, 'containerd.EventSubject').deserialize(envelope.event?.value ?? Buffer.alloc(0));
  return (subject as { containerId: string }).containerId;
}

/** True for the exit of a container's first process; execs in it end with the same topic. */
export function isContainerExit(envelope: Envelope): boolean {
  if (envelope.topic !== '/tasks/exit') return false;
  const exit = messageOf(proto, 'containerd.TaskExit').deserialize(envelope.event?.value ?? Buffer.alloc(0));
  const { containerId, id } = exit as { containerId: string; id: string };
  return id === containerId;
}
