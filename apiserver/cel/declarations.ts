// Which functions there are for which types: CEL's operators and standard functions under cel-go's names, and those of the libraries.

import { libraryFunctions } from './library/functions.ts';
import type { LibraryFunction } from './library/library-function.ts';
import { standardFunctions } from './library/standard.ts';
import { type CelType, dynType, parseType, splitTypes } from './types.ts';

/** One form of a function. */
export interface Overload {
  readonly isMember: boolean;
  /** The target, if any, comes first. */
  readonly params: readonly CelType[];
  readonly result: CelType;
  /** Absent for operators, and what else the interpreter does itself. */
  readonly compute?: ((...args: never[]) => unknown) | undefined;
}

const numbers = ['int', 'uint', 'double'];
const ordered = ['bool', 'string', 'bytes', 'timestamp', 'duration'];
const pairs = [...numbers.flatMap((a) => numbers.map((b) => [a, b])), ...ordered.map((type) => [type, type])];
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

/** Names before a dot that belong to the function's own. */
const isNamespace = (text: string) => /^(cel|format|ip|jsonpatch|lists|optional|sets|strings)$/.test(text);

function parseSignature([signature, compute]: LibraryFunction): readonly [name: string, overload: Overload] {
  const [, head = '', params = '', result = 'dyn'] = /^(.*?)\(([^()]*)\): (.*)$/.exec(signature) ?? [];
  const dot = head.lastIndexOf('.');
  const before = dot === -1 ? '' : head.slice(0, dot);
  const isMember = dot !== -1 && !isNamespace(before);
  const types = splitTypes(params).map(parseType);
  return [
    isMember ? head.slice(dot + 1) : head,
    { isMember, params: isMember ? [parseType(before), ...types] : types, result: parseType(result), compute },
  ];
}

function tableOf(): ReadonlyMap<string, readonly Overload[]> {
  const table = new Map<string, Overload[]>();
  const add = (name: string, overload: Overload) => void table.set(name, [...(table.get(name) ?? []), overload]);
  for (const [name, params, result] of operators)
    add(name, { isMember: false, params: splitTypes(params).map(parseType), result: parseType(result) });
  for (const declared of [...standardFunctions, ...libraryFunctions]) add(...parseSignature(declared));
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
  if (/^(bool|bytes|double|int|list|map|null_type|optional_type|string|type|uint)$/.test(name))
    return { kind: 'type', name: 'type', params: [dynType] };
  if (/^(google\.protobuf\.(Timestamp|Duration)|kubernetes\.(Quantity|URL|Semver|NamedFormat)|net\.(IP|CIDR))$/.test(name))
    return { kind: 'type', name: 'type', params: [dynType] };
  return undefined;
}
