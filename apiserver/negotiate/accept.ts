// Which form of answer a client asks for: JSON, YAML or protobuf, and the object itself, a Table of it or its metadata alone.

import { StatusError } from '../../api/status.ts';
import { protobufType } from '../protobuf/envelope.ts';

export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf';
  /** '' for the object itself. */
  as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** meta.k8s.io's version, of the two that are served. */
  asVersion: 'v1' | 'v1beta1';
}

const plain: Accepted = Object.freeze({ format: 'json', as: '', asVersion: 'v1' });
/** What of a kind can be said in protobuf: only built-in kinds have messages, but any object's metadata has. */
export type ProtobufSupport = 'none' | 'metadata' | 'all';

const mediaTypes = ['application/json', 'application/yaml'];
const transforms = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/**
 * Reads an Accept header; the first clause that can be served wins, as in Kubernetes.
 * @throws StatusError NotAcceptable
 */
export function readAccept(header: string | undefined, allowTransforms = true, protobuf: ProtobufSupport = 'none'): Accepted {
  if (header === undefined || header === '' || header === 'application/json' || header === '*/*') return plain;
  for (const clause of header.split(',')) {
    const accepted = readClause(clause, allowTransforms);
    if (accepted && isSpoken(accepted, protobuf)) return accepted;
  }
  const types = protobuf === 'all' ? [...mediaTypes, protobufType] : mediaTypes;
  throw new StatusError('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
}

/** How an answer that every format has, such as a Status, is to be written; JSON when nothing that was asked for is known. */
export function formatOfStatus(header: string | undefined): Accepted['format'] {
  if (!header || header === 'application/json') return 'json';
  for (const clause of header.split(',')) {
    const accepted = readClause(clause, true);
    if (accepted) return accepted.format;
  }
  return 'json';
}

/** Tables are never in protobuf. */
function isSpoken({ format, as }: Accepted, protobuf: ProtobufSupport): boolean {
  if (format !== 'protobuf') return true;
  if (as === '') return protobuf === 'all';
  return as !== 'Table' && protobuf !== 'none';
}

function readClause(clause: string, allowTransforms: boolean): Accepted | undefined {
  const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
  const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
  const format = formatOf(type);
  if (!format) return undefined;
  const as = values.get('as');
  if (as === undefined) return { format, as: '', asVersion: 'v1' };
  if (!allowTransforms || !transforms.has(as) || values.get('g') !== 'meta.k8s.io') return undefined;
  const asVersion = values.get('v');
  if (asVersion !== 'v1' && asVersion !== 'v1beta1') return undefined;
  return { format, as: as as Accepted['as'], asVersion };
}

function formatOf(type: string): Accepted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  if (type === protobufType) return 'protobuf';
  return undefined;
}
