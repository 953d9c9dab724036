// Answers in protobuf that are not simply a stored object's: metadata alone, and objects that a handler made as JSON.

import type { Status } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { encodeMessage } from '../protobuf/encode.ts';
import { envelope, envelopeAround, itemHead, listParts, metaMessage } from '../protobuf/envelope.ts';
import { type Message, messageOf } from '../protobuf/message.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import { builtInName } from '../schema/schema.ts';

const partialBytes = (object: KubeObject) => encodeMessage(metaMessage('PartialObjectMetadata'), { metadata: object.metadata });
const partialMeta = (version: string) => ({ apiVersion: `meta.k8s.io/${version}`, kind: 'PartialObjectMetadata' });

/** metav1.PartialObjectMetadata of an object. */
export function partialProtobuf(object: StoredObject, version: string): Buffer {
  return envelope(partialMeta(version), [partialBytes(object.parse())]);
}

/** metav1.PartialObjectMetadataList. */
export function partialListProtobuf(objects: readonly StoredObject[], metadata: object, version: string): Buffer {
  const items = objects.map((object) => partialBytes(object.parse()));
  return envelope(partialListMeta(version), listParts(metadata, items, numbersOf(version)));
}

/** The same bytes item by item, and how many they are. Each item is made twice, so that none has to be kept. */
export function partialListPieces(objects: readonly StoredObject[], metadata: object, version: string) {
  const numbers = numbersOf(version);
  const meta = Buffer.concat(listParts(metadata, [], numbers));
  let listLength = meta.length;
  for (const object of objects) {
    const { length } = partialBytes(object.parse());
    listLength += itemHead(length, numbers.items).length + length;
  }
  const { before, after } = envelopeAround(partialListMeta(version), listLength);
  function* pieces(): Generator<Buffer> {
    yield before;
    if (numbers.metadata < numbers.items) yield meta;
    for (const object of objects) {
      const item = partialBytes(object.parse());
      yield itemHead(item.length, numbers.items);
      yield item;
    }
    if (numbers.metadata > numbers.items) yield meta;
    yield after;
  }
  return { pieces: pieces(), length: before.length + listLength + after.length };
}

const partialListMeta = (version: string) => ({ apiVersion: `meta.k8s.io/${version}`, kind: 'PartialObjectMetadataList' });
/** In v1beta1 the list's fields have each other's numbers. */
const numbersOf = (version: string) => (version === 'v1beta1' ? { metadata: 2, items: 1 } : { metadata: 1, items: 2 });

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
