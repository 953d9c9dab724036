// metav1.Table: what kubectl prints, computed from a declaration's columns.

import { stringifyJson } from '../../api/json.ts';
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

type Columns = Pick<ResourceDeclaration, 'columns'>;
type Row = Pick<StoredObject, 'parse' | 'wire'>;

/** The table of `objects` as JSON; `metadata` is that of the list, or the resourceVersion of the one object. */
export function tableJson(declaration: Columns, objects: readonly Row[], metadata: object, options: TableOptions): Buffer {
  return Buffer.concat([...tablePieces(declaration, objects, metadata, options)]);
}

/** The same bytes, row by row. */
export function* tablePieces(declaration: Columns, objects: Iterable<Row>, metadata: object, options: TableOptions): Generator<Buffer> {
  let before = tableStart(metadata, options.version, columnsJson(declaration));
  for (const object of objects) {
    yield Buffer.from(before + rowJson(declaration, object, options));
    before = ',';
  }
  yield Buffer.from(before === ',' ? ']}\n' : `${before}]}\n`);
}

/** How a Table says that its columns have been told before: as all events of a watch do but for its first. */
const untold = '"columnDefinitions":null';

/** The Table that one event of a watch shows. Shared by watches, it leaves the columns out: `withColumns` puts them in. */
export function eventTableJson(declaration: Columns, object: Row, resourceVersion: string, options: TableOptions): string {
  return `${tableStart({ resourceVersion }, options.version, 'null')}${rowJson(declaration, object, options)}]}`;
}

/** A watch's first events, their Table's columns told in the first. An ERROR shows no Table and stays as it is. */
export function withColumns(events: Uint8Array, declaration: Columns): Buffer {
  const bytes = Buffer.from(events.buffer, events.byteOffset, events.byteLength);
  const at = bytes.indexOf(untold);
  if (at === -1) return bytes;
  const told = `"columnDefinitions":${columnsJson(declaration)}`;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(told), bytes.subarray(at + untold.length)]);
}

const tableStart = (metadata: object, version: string, columnDefinitions: string) =>
  `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columnDefinitions},"rows":[`;

const columnsJson = ({ columns }: Columns) =>
  JSON.stringify(
    columns.map(({ name, type, format, description, priority }) => ({ name, type, format: format ?? '', description, priority })),
  );

function rowJson(declaration: Columns, stored: Row, { version, includeObject, nowMs }: TableOptions): string {
  const object = stored.parse();
  const cells = stringifyJson(declaration.columns.map((column) => column.cell(object, nowMs)));
  if (includeObject === 'None') return `{"cells":${cells},"object":null}`;
  if (includeObject === 'Object') return `{"cells":${cells},"object":${stored.wire.toString()}}`;
  return `{"cells":${cells},"object":${partialJson(object, version)}}`;
}

/** metav1.PartialObjectMetadata of an object. */
export function partialJson(object: KubeObject, version: string): string {
  return stringifyJson({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata });
}
