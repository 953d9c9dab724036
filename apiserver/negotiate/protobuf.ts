// Answers in protobuf that are not simply a stored object's: metadata alone, and objects that a handler made as JSON.

import type { Status } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { encodeMessage } from '../protobuf/encode.ts';
import { envelope, listParts, metaMessage } from '../protobuf/envelope.ts';
import { type Message, messageOf } from '../protobuf/message.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import { builtInName } from '../schema/schema.ts';

const partialBytes = (object: KubeObject) => encodeMessage(metaMessage('PartialObjectMetadata'), { metadata: object.metadata });
const partialMeta = (version: string) => ({ apiVersion: `meta.k8s.io/${version}`, kind: 'PartialObjectMetadata' });

/** metav1.PartialObjectMetadata of an object. */
export function partialProtobuf(object: StoredObject, version: string): Buffer {
  return envelope(partialMeta(version), [partialBytes(object.parse())]);
}

/** metav1.PartialObjectMetadataList; in v1beta1 its fields have each other's numbers. */
export function partialListProtobuf(objects: readonly StoredObject[], metadata: object, version: string): Buffer {
  const items = objects.map((object) => partialBytes(object.parse()));
  const numbers = version === 'v1beta1' ? { metadata: 2, items: 1 } : { metadata: 1, items: 2 };
  return envelope({ apiVersion: `meta.k8s.io/${version}`, kind: 'PartialObjectMetadataList' }, listParts(metadata, items, numbers));
}

/** An object of a built-in kind, Status among them, in its envelope. @throws Error for a kind that has no message */
export function objectProtobuf(object: KubeObject | Status): Buffer {
  const { apiVersion = '', kind = '' } = object;
  const message = messageOfKind(apiVersion, kind);
  if (!message) throw new Error(`${apiVersion} ${kind} has no protobuf message`);
  return envelope({ apiVersion, kind }, [encodeMessage(message, object)]);
}

function messageOfKind(apiVersion: string, kind: string): Message | undefined {
  if (kind === 'PartialObjectMetadata' || kind === 'Status') return metaMessage(kind);
  const at = apiVersion.indexOf('/');
  const definition = builtInName(apiVersion.slice(0, Math.max(0, at)), apiVersion.slice(at + 1), kind);
  return definition === undefined ? undefined : messageOf(definition);
}
