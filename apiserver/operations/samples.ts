// The samples: one object of every kind, with what spoils it. Every test that goes through all kinds takes its objects here.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubeObject } from '../../api/wire.ts';

export interface Sample {
  object: KubeObject & { kind: string; apiVersion: string; metadata: { name: string; labels: Record<string, string> } };
  /** A merge patch after which the object is refused. */
  spoil: object;
  /** What validation names then; undefined: not compared. */
  field: string | undefined;
  status: object | undefined;
}

/** There is no making one: the server knows its parts. */
const componentStatus: Sample = {
  object: { apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'etcd-0', labels: {} } },
  spoil: {},
  field: undefined,
  status: undefined,
};

/** Selects what is made of samples, and nothing that a cluster begins with. */
export const sampleLabel = 'sample=yes';
/** Where namespaced samples are put. */
export const sampleNamespace = 'operations';

/** By `apiVersion kind`. */
export function readSamples(): Map<string, Sample> {
  const all = parse(readFileSync(new URL('./samples.yaml', import.meta.url), 'utf8')) as (Partial<Sample> & Pick<Sample, 'object'>)[];
  return new Map(
    all.map(({ object, spoil, field, status }) => {
      object.metadata = { ...object.metadata, name: object.metadata?.name ?? 'sample', labels: { sample: 'yes' } };
      const spoiled = spoil ?? { metadata: { labels: { 'no label': 'x' } } };
      return [`${object.apiVersion} ${object.kind}`, { object, spoil: spoiled, field, status }];
    }),
  );
}

/** What of a sample is posted: a binding is of a pod that is there, and a question about access has no metadata. */
export function postedOf(object: Sample['object']): KubeObject {
  if (object.kind === 'Binding') return { ...object, metadata: { name: 'to-bind' } };
  return object.kind.endsWith('AccessReview') ? { ...object, metadata: {} } : object;
}

/** The sample of a resource of the check-list: `apps/v1/deployments`, `/v1/pods`. */
export function sampleOf(samples: ReadonlyMap<string, Sample>, resource: string): Sample | undefined {
  const [group = '', version = '', plural = ''] = resource.split('/');
  if (plural === 'componentstatuses') return componentStatus;
  const apiVersion = group ? `${group}/${version}` : version;
  return [...samples.values()].find(({ object }) => object.apiVersion === apiVersion && pluralsOf(object.kind).includes(plural));
}

function pluralsOf(kind: string): string[] {
  const lower = kind.toLowerCase();
  return [lower, `${lower}s`, `${lower}es`, lower.replace(/y$/, 'ies')];
}
