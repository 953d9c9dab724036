// additionalPrinterColumns as table columns: JSON paths and what kubectl is shown of what they lead to.

import type { PrinterColumn } from '../../api/apiextensions.ts';
import { stringifyJson } from '../../api/json.ts';
import type { KubeObject } from '../../api/wire.ts';
import { humanDuration, nameColumn } from '../resources/columns.ts';
import type { Column } from '../resources/resource.ts';
import { compileJsonPath, JsonPathError } from './json-path.ts';

const creationColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
};

/** Name, and then what the version asks for, or the age; a path that does not read ends the table. */
export function printerColumns(columns: readonly PrinterColumn[] | undefined): Column<KubeObject>[] {
  const asked = columns?.length ? columns : [creationColumn];
  const unreadable = asked.findIndex(({ jsonPath }) => !isReadable(jsonPath));
  return [nameColumn(), ...asked.slice(0, unreadable === -1 ? undefined : unreadable).map(columnOf)];
}

function isReadable(path: string): boolean {
  try {
    compileJsonPath(path);
    return true;
  } catch (error) {
    if (error instanceof JsonPathError) return false;
    throw error;
  }
}

function columnOf({ name, type, format, description, priority, jsonPath }: PrinterColumn): Column<KubeObject> {
  const find = compileJsonPath(jsonPath);
  return {
    name,
    type: type as Column<KubeObject>['type'],
    ...(format ? { format } : {}),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell(object, nowMs) {
      const found = valuesAt(find, object);
      return found.length === 0 ? null : cellOf(found[0], type, nowMs);
    },
  };
}

/** Where a path cannot be followed there is nothing to show. */
function valuesAt(find: ReturnType<typeof compileJsonPath>, object: KubeObject): readonly unknown[] {
  try {
    return find(object);
  } catch (error) {
    if (error instanceof JsonPathError) return [];
    throw error;
  }
}

function cellOf(value: unknown, type: string, nowMs: number): string | number | bigint | boolean | null {
  if (value === undefined || value === null) return type === 'string' ? '<no value>' : null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      if (value === '' || value === 'null') return '<unknown>';
      const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN;
      return Number.isNaN(ms) ? '<invalid>' : humanDuration(nowMs - ms);
    }
    default:
      return typeof value === 'object' ? stringifyJson(value) : String(value);
  }
}
