// The types of values: their names, and the classes of those that the libraries bring.

import { authorizerTypes } from '../authorizer.ts';
import { mapOf } from '../map-values.ts';
import { CelDuration, CelStruct, CelTimestamp, CelUint, Optional, TypeValue } from '../values.ts';
import { CelFormat } from './named-format.ts';
import { CelCidr, CelIp } from './network.ts';
import { CelQuantity } from './quantity.ts';
import { CelSemver } from './semver.ts';
import { CelUrl } from './url.ts';

interface ValueClass {
  readonly ctor: abstract new (...args: never[]) => object;
  /** What can be selected of it. */
  readonly fields: readonly string[];
}

const classes: ReadonlyMap<string, ValueClass> = new Map<string, ValueClass>([
  ['kubernetes.NamedFormat', { ctor: CelFormat, fields: [] }],
  ['kubernetes.Quantity', { ctor: CelQuantity, fields: [] }],
  ['kubernetes.Semver', { ctor: CelSemver, fields: [] }],
  ['kubernetes.URL', { ctor: CelUrl, fields: [] }],
  ['net.CIDR', { ctor: CelCidr, fields: [] }],
  ['net.IP', { ctor: CelIp, fields: [] }],
  ...authorizerTypes.map(([name, { ctor, fields }]): [string, ValueClass] => [name, { ctor, fields: Object.keys(fields) }]),
]);

/** Whether a value is of the library's type of this name. */
export function isOfClass(value: unknown, name: string): boolean {
  const known = classes.get(name);
  return known !== undefined && value instanceof known.ctor;
}

/** A field of a value of a library's type. */
export function fieldOf(value: unknown, name: unknown): { value: unknown } | undefined {
  if (typeof value !== 'object' || value === null || typeof name !== 'string') return undefined;
  for (const { ctor, fields } of classes.values())
    if (value instanceof ctor && fields.includes(name)) return { value: (value as Record<string, unknown>)[name] };
  return undefined;
}

const plain: Readonly<Record<string, string>> = { boolean: 'bool', string: 'string', bigint: 'int', number: 'double' };

/** The name of a value's type, as `type(x)` compares it. */
export function typeNameOf(value: unknown): string {
  const known = plain[typeof value];
  if (known !== undefined) return known;
  if (value === null || value === undefined) return 'null_type';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp';
  if (value instanceof CelDuration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof CelStruct) return value.typeName;
  for (const [name, { ctor }] of classes) if (value instanceof ctor) return name;
  return mapOf(value) ? 'map' : 'dyn';
}
