// Which functions there are for which types: CEL's operators and standard functions under cel-go's names, and those of the libraries.

import { libraryFunctions } from './library/register.ts';
import { type CelType, dynType, parseType, splitTypes } from './types.ts';

/** One form of a function. */
export interface Overload {
  readonly isMember: boolean;
  /** The target, if any, comes first. */
  readonly params: readonly CelType[];
  readonly result: CelType;
}

const numbers = ['int', 'uint', 'double'];
const ordered = ['bool', 'string', 'bytes', 'timestamp', 'duration'];
const pairs = [...numbers.flatMap((a) => numbers.map((b) => [a, b])), ...ordered.map((type) => [type, type])];
const dateParts = ['FullYear', 'Month', 'DayOfYear', 'DayOfMonth', 'Date', 'DayOfWeek'];
const timeParts = ['Hours', 'Minutes', 'Seconds', 'Milliseconds'];
const conversions: Readonly<Record<string, readonly string[]>> = {
  bool: ['bool', 'string'],
  bytes: ['bytes', 'string'],
  double: ['double', 'int', 'string', 'uint'],
  duration: ['string'],
  int: ['int', 'double', 'string', 'uint'],
  string: ['string', 'bool', 'bytes', 'double', 'int', 'uint'],
  timestamp: ['int', 'string'],
  uint: ['uint', 'double', 'int', 'string'],
};

/** Operators by cel-go's names for them. */
const operators: readonly (readonly [name: string, params: string, result: string])[] = [
  ['_?_:_', 'bool, T, T', 'T'],
  ['!_', 'bool', 'bool'],
  ['_==_', 'T, T', 'bool'],
  ['_!=_', 'T, T', 'bool'],
  ...['bytes', 'double', 'duration', 'int', 'list<T>', 'string', 'uint'].map((type) => ['_+_', `${type}, ${type}`, type] as const),
  ['_+_', 'duration, timestamp', 'timestamp'],
  ['_+_', 'timestamp, duration', 'timestamp'],
  ...['double', 'duration', 'int', 'uint'].map((type) => ['_-_', `${type}, ${type}`, type] as const),
  ['_-_', 'timestamp, duration', 'timestamp'],
  ['_-_', 'timestamp, timestamp', 'duration'],
  ...numbers.flatMap((type) => [['_*_', `${type}, ${type}`, type] as const, ['_/_', `${type}, ${type}`, type] as const]),
  ['_%_', 'int, int', 'int'],
  ['_%_', 'uint, uint', 'uint'],
  ['-_', 'double', 'double'],
  ['-_', 'int', 'int'],
  ...['_<_', '_<=_', '_>_', '_>=_'].flatMap((name) => pairs.map(([a, b]) => [name, `${a}, ${b}`, 'bool'] as const)),
  ['_[_]', 'list<T>, int', 'T'],
  ['_[_]', 'map<K, V>, K', 'V'],
  ['_[_]', 'optional<list<T>>, int', 'optional<T>'],
  ['_[_]', 'optional<map<K, V>>, K', 'optional<V>'],
  ['_[?_]', 'list<T>, int', 'optional<T>'],
  ['_[?_]', 'map<K, V>, K', 'optional<V>'],
  ['_[?_]', 'optional<list<T>>, int', 'optional<T>'],
  ['_[?_]', 'optional<map<K, V>>, K', 'optional<V>'],
  ['@in', 'T, list<T>', 'bool'],
  ['@in', 'K, map<K, V>', 'bool'],
];

const standard: readonly string[] = [
  ...['string', 'bytes', 'list<T>', 'map<K, V>'].flatMap((type) => [`size(${type}): int`, `${type}.size(): int`]),
  'dyn(T): dyn',
  'type(T): type<T>',
  ...Object.entries(conversions).flatMap(([to, from]) => from.map((type) => `${to}(${type}): ${to}`)),
  ...['contains', 'endsWith', 'startsWith', 'matches'].map((name) => `string.${name}(string): bool`),
  'matches(string, string): bool',
  ...[...dateParts, ...timeParts].flatMap((part) => [`timestamp.get${part}(): int`, `timestamp.get${part}(string): int`]),
  ...timeParts.map((part) => `duration.get${part}(): int`),
  'string.lowerAscii(): string',
  'string.upperAscii(): string',
  'string.trim(): string',
  'string.indexOf(string): int',
  'string.indexOf(string, int): int',
  'string.lastIndexOf(string): int',
  'string.lastIndexOf(string, int): int',
  'string.substring(int): string',
  'string.substring(int, int): string',
  'string.split(string): list<string>',
  'string.split(string, int): list<string>',
  'list<string>.join(): string',
  'list<string>.join(string): string',
  'optional.none(): optional<T>',
  'optional.of(T): optional<T>',
  'optional<T>.hasValue(): bool',
  'optional<T>.value(): T',
  'optional<T>.or(optional<T>): optional<T>',
  'optional<T>.orValue(T): T',
];

/** Names before a dot that belong to the function's own. */
const isNamespace = (text: string) => /^(format|ip|jsonpatch|lists|optional|sets|strings)$/.test(text);

function parseSignature(signature: string): readonly [name: string, overload: Overload] {
  const [, head = '', params = '', result = 'dyn'] = /^(.*?)\(([^()]*)\): (.*)$/.exec(signature) ?? [];
  const dot = head.lastIndexOf('.');
  const before = dot === -1 ? '' : head.slice(0, dot);
  const isMember = dot !== -1 && !isNamespace(before);
  const types = splitTypes(params).map(parseType);
  return [
    isMember ? head.slice(dot + 1) : head,
    { isMember, params: isMember ? [parseType(before), ...types] : types, result: parseType(result) },
  ];
}

function tableOf(): ReadonlyMap<string, readonly Overload[]> {
  const table = new Map<string, Overload[]>();
  const add = (name: string, overload: Overload) => void table.set(name, [...(table.get(name) ?? []), overload]);
  for (const [name, params, result] of operators)
    add(name, { isMember: false, params: splitTypes(params).map(parseType), result: parseType(result) });
  for (const signature of [...standard, ...libraryFunctions.map(([each]) => each)]) add(...parseSignature(signature));
  for (const inner of ['re2Matches']) table.delete(inner);
  return table;
}

let shared: ReadonlyMap<string, readonly Overload[]> | undefined;

/** The forms of the function `name`; undefined when there is none of that name. */
export function overloadsOf(name: string): readonly Overload[] | undefined {
  shared ??= tableOf();
  return shared.get(name);
}

/** What a name of a type stands for, such as `int` in `type(x) == int`. */
export function typeNamed(name: string): CelType | undefined {
  if (/^(bool|bytes|double|int|list|map|null_type|string|type|uint)$/.test(name)) return { kind: 'type', name: 'type', params: [dynType] };
  if (/^(google\.protobuf\.(Timestamp|Duration)|kubernetes\.(Quantity|URL|Semver|NamedFormat)|net\.(IP|CIDR))$/.test(name))
    return { kind: 'type', name: 'type', params: [dynType] };
  return undefined;
}
