// additionalPrinterColumns as table columns: JSON paths and what kubectl is shown of what they lead to.

import type { PrinterColumn } from '../../api/apiextensions.ts';
import type { KubeObject } from '../../api/wire.ts';
import { humanDuration, nameColumn } from '../resources/columns.ts';
import type { Column } from '../resources/resource.ts';
import { compileJsonPath } from './json-path.ts';

const creationColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
};

/** Name, and then what the version asks for, or the age. */
export function printerColumns(columns: readonly PrinterColumn[] | undefined): Column<KubeObject>[] {
  const asked = columns?.length ? columns : [creationColumn];
  return [nameColumn(), ...asked.map(columnOf)];
}

function columnOf({ name, type, format, description, priority, jsonPath }: PrinterColumn): Column<KubeObject> {
  let find: ((value: unknown) => unknown[]) | undefined;
  return {
    name,
    type: type as Column<KubeObject>['type'],
    ...(format ? { format } : {}),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell(object, nowMs) {
      find ??= compileJsonPath(jsonPath);
      return cellOf(find(object)[0], type, nowMs);
    },
  };
}

function cellOf(value: unknown, type: string, nowMs: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      const ms = Date.parse(value);
      return Number.isNaN(ms) ? '<invalid>' : humanDuration(nowMs - ms);
    }
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}
