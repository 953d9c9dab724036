// Which form of answer a client asks for: JSON or YAML, and the object itself, a Table of it or its metadata alone.

import { StatusError } from '../../api/status.ts';

export interface Accepted {
  format: 'json' | 'yaml';
  /** '' for the object itself. */
  as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** meta.k8s.io's version, of the two that are served. */
  asVersion: 'v1' | 'v1beta1';
}

const plain: Accepted = Object.freeze({ format: 'json', as: '', asVersion: 'v1' });
const mediaTypes = ['application/json', 'application/yaml'];
const transforms = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/**
 * Reads an Accept header; the first clause that can be served wins, as in Kubernetes.
 * @throws StatusError NotAcceptable
 */
export function readAccept(header: string | undefined, allowTransforms = true): Accepted {
  if (header === undefined || header === '' || header === 'application/json' || header === '*/*') return plain;
  for (const clause of header.split(',')) {
    const accepted = readClause(clause, allowTransforms);
    if (accepted) return accepted;
  }
  throw new StatusError('NotAcceptable', `only the following media types are accepted: ${mediaTypes.join(', ')}`);
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

function formatOf(type: string): 'json' | 'yaml' | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  return undefined;
}
