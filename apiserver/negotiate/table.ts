// metav1.Table: what kubectl prints, computed from a declaration's columns.

import type { KubeObject } from '../../api/wire.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';

/** How much of each object a row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** meta.k8s.io's version. */
  version: string;
  includeObject: IncludeObject;
  nowMs: number;
}

/** The table of `objects` as JSON; `metadata` is that of the list, or the resourceVersion of the one object. */
export function tableJson(
  declaration: Pick<ResourceDeclaration, 'columns'>,
  objects: readonly Pick<StoredObject, 'parse' | 'wire'>[],
  metadata: object,
  options: TableOptions,
): string {
  const columnDefinitions = declaration.columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description,
    priority,
  }));
  const rows = objects.map((object) => rowJson(declaration, object, options));
  const head = { kind: 'Table', apiVersion: `meta.k8s.io/${options.version}`, metadata, columnDefinitions };
  return `${JSON.stringify(head).slice(0, -1)},"rows":[${rows.join(',')}]}`;
}

function rowJson(
  declaration: Pick<ResourceDeclaration, 'columns'>,
  stored: Pick<StoredObject, 'parse' | 'wire'>,
  { version, includeObject, nowMs }: TableOptions,
): string {
  const object = stored.parse();
  const cells = JSON.stringify(declaration.columns.map((column) => column.cell(object, nowMs)));
  if (includeObject === 'None') return `{"cells":${cells},"object":null}`;
  if (includeObject === 'Object') return `{"cells":${cells},"object":${stored.wire.toString()}}`;
  return `{"cells":${cells},"object":${partialJson(object, version)}}`;
}

/** metav1.PartialObjectMetadata of an object. */
export function partialJson(object: KubeObject, version: string): string {
  return JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata });
}
