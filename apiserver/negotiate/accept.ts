// Which form of answer a client asks for: JSON, YAML or protobuf, and the object itself, a Table of it or its metadata alone.

import { StatusError } from '../../api/status.ts';
import { protobufType } from '../protobuf/envelope.ts';

export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf';
  /** '' for the object itself. */
  as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** meta.k8s.io's version, of the two that are served. */
  asVersion: 'v1' | 'v1beta1';
  /** JSON for people: a parameter of the media type asks for it. */
  isPretty: boolean;
}

const plain: Accepted = Object.freeze({ format: 'json', as: '', asVersion: 'v1', isPretty: false });
/** What of a kind can be said in protobuf: only built-in kinds have messages, but any object's metadata has. */
export type ProtobufSupport = 'none' | 'metadata' | 'all';

const mediaTypes = ['application/json', 'application/yaml'];
const transforms = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/**
 * Reads an Accept header; of the clauses that can be served the one of the highest quality wins, as in Kubernetes.
 * @throws StatusError NotAcceptable
 */
export function readAccept(header: string | undefined, allowTransforms = true, protobuf: ProtobufSupport = 'none'): Accepted {
  if (header === undefined || header === '' || header === 'application/json' || header === '*/*') return plain;
  for (const clause of clausesOf(header)) {
    const accepted = readClause(clause, allowTransforms);
    if (accepted && isSpoken(accepted, protobuf)) return accepted;
  }
  const types = protobuf === 'all' ? [...mediaTypes, protobufType] : mediaTypes;
  throw new StatusError('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
}

/** How an answer that every format has, such as a Status, is to be written; JSON when nothing that was asked for is known. */
export function formatOfStatus(header: string | undefined): Accepted['format'] {
  if (!header || header === 'application/json') return 'json';
  for (const clause of clausesOf(header)) {
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

interface Clause {
  /** `application/json`, or with `*` for one part or both. */
  type: string;
  /** From 0 to 1. */
  quality: number;
  parameters: ReadonlyMap<string, string>;
}

const clausesMax = 100;

/** An Accept header's clauses, best first: of higher quality, then without `*`. What is no clause is passed over. */
function clausesOf(header: string): Clause[] {
  const sorted: Clause[] = [];
  for (const text of header.split(',', clausesMax)) {
    const clause = parseClause(text);
    if (!clause) continue;
    // Inserted as Go's sort does with a few: what comes first of two depends on it where the order is not one of all clauses.
    let at = sorted.length;
    while (at > 0 && isBetter(clause, sorted[at - 1] as Clause)) at--;
    sorted.splice(at, 0, clause);
  }
  return sorted;
}

function isBetter(a: Clause, b: Clause): boolean {
  if (a.quality > b.quality) return true;
  if (!a.type.startsWith('*') && b.type.startsWith('*')) return true;
  return !a.type.endsWith('*') && b.type.endsWith('*');
}

function parseClause(text: string): Clause | undefined {
  const [range = '', ...rest] = text.split(';');
  const type = range
    .split('/')
    .map((part) => part.trim())
    .join('/');
  if (type !== '*' && !/^[^/]+\/[^/]+$/.test(type)) return undefined;
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const [name = '', value = '', more] = parameter.split('=').map((part) => part.trim());
    if (value !== '' && more === undefined) parameters.set(name, value);
  }
  const quality = parameters.has('q') ? Number(parameters.get('q')) || 0 : 1;
  return { type: type === '*' ? '*/*' : type, quality, parameters };
}

function readClause({ type, parameters }: Clause, allowTransforms: boolean): Accepted | undefined {
  const format = formatOf(type);
  if (!format) return undefined;
  const isPretty = parameters.get('pretty') === '1';
  if ((parameters.get('stream') ?? 'watch') !== 'watch' || (parameters.get('sv') ?? 'v1') !== 'v1') return undefined;
  const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === undefined) return { format, as: '', asVersion: 'v1', isPretty };
  if (!allowTransforms || as === undefined || !transforms.has(as) || group !== 'meta.k8s.io') return undefined;
  if (version !== 'v1' && version !== 'v1beta1') return undefined;
  return { format, as: as as Accepted['as'], asVersion: version, isPretty };
}

function formatOf(type: string): Accepted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  if (type === protobufType) return 'protobuf';
  return undefined;
}
