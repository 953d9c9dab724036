// CEL's types: how they are written, printed, and when one may stand where another is asked for. Printing and unification follow
// cel-go, so that messages about types read as Kubernetes' do.

export type TypeKind =
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'opaque'
  | 'param'
  | 'string'
  | 'struct'
  | 'timestamp'
  | 'type'
  | 'uint';

/** One type. `list` has one parameter, `map` two, `type` at most one, `opaque` any number. */
export interface CelType {
  readonly kind: TypeKind;
  /** As messages print it: of an object type its full name. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** Of an object type: what a field holds. Those without it take any field. */
  readonly field?: (name: string) => CelType | undefined;
}

const none: readonly CelType[] = [];
const simple = (kind: TypeKind, name: string = kind): CelType => ({ kind, name, params: none });

export const boolType = simple('bool');
export const bytesType = simple('bytes');
export const doubleType = simple('double');
export const durationType = simple('duration', 'google.protobuf.Duration');
export const dynType = simple('dyn');
export const errorType = simple('error', '*error*');
export const intType = simple('int');
export const nullType = simple('null', 'null_type');
export const stringType = simple('string');
export const timestampType = simple('timestamp', 'google.protobuf.Timestamp');
export const uintType = simple('uint');
export const typeType = simple('type');

export const listType = (item: CelType): CelType => ({ kind: 'list', name: 'list', params: [item] });
export const mapType = (key: CelType, value: CelType): CelType => ({ kind: 'map', name: 'map', params: [key, value] });
export const typeOfType = (of: CelType): CelType => ({ kind: 'type', name: 'type', params: [of] });
export const opaqueType = (name: string, params: readonly CelType[] = none): CelType => ({ kind: 'opaque', name, params });
export const optionalType = (of: CelType): CelType => opaqueType('optional_type', [of]);
export const paramType = (name: string): CelType => simple('param', name);

/** An object with named fields. */
export function structType(name: string, field?: (name: string) => CelType | undefined): CelType {
  return field ? { kind: 'struct', name, params: none, field } : simple('struct', name);
}

export const isOptionalType = (type: CelType) => type.kind === 'opaque' && type.name === 'optional_type';

/** As cel-go prints it: `list(string)`, `map(string, dyn)`, `optional_type(int)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'duration':
      return 'duration';
    case 'timestamp':
      return 'timestamp';
    case 'error':
      return '!error!';
    case 'null':
      return 'null';
    default:
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`;
  }
}

const named: Readonly<Record<string, CelType>> = {
  bool: boolType,
  bytes: bytesType,
  double: doubleType,
  duration: durationType,
  dyn: dynType,
  int: intType,
  null: nullType,
  string: stringType,
  timestamp: timestampType,
  type: typeType,
  uint: uintType,
};

/**
 * A type as declarations here write it: `list<string>`, `map<K, V>`, `optional<T>`, `kubernetes.Quantity`; one capital letter is a
 * parameter. @throws when the text is no type
 */
export function parseType(text: string): CelType {
  const [, name = '', inner] = /^\s*([\w.]+)\s*(?:<(.*)>)?\s*$/.exec(text) ?? [];
  if (name === '') throw new Error(`not a type: ${text}`);
  const params = inner === undefined ? [] : splitTypes(inner).map(parseType);
  const [first = dynType, second = dynType] = params;
  if (name === 'list') return listType(first);
  if (name === 'map') return mapType(first, second);
  if (name === 'optional') return optionalType(first);
  if (name === 'type' && params.length > 0) return typeOfType(first);
  if (/^[A-Z]$/.test(name)) return paramType(name);
  return named[name] ?? opaqueType(name, params);
}

/** Splits at the commas outside of angle brackets. */
export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<') depth++;
    else if (text[i] === '>') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (text.slice(start).trim() !== '') parts.push(text.slice(start));
  return parts;
}

/** Whether two types are the same, parameters included. */
export function isSameType(a: CelType, b: CelType): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((param, i) => isSameType(param, b.params[i] as CelType)))
  );
}

const isWild = (type: CelType) => type.kind === 'dyn' || type.kind === 'error';
const isNullable = (type: CelType) => ['opaque', 'struct', 'duration', 'timestamp', 'null'].includes(type.kind);

/** What type parameters have been found to stand for. Only ever replaced as a whole, so that a failed attempt leaves no trace. */
export type Bindings = ReadonlyMap<string, CelType>;

/** The bindings with which each of `given` may stand for its one of `wanted`; undefined when there are none. */
export function assignAll(bindings: Bindings, given: readonly CelType[], wanted: readonly CelType[]): Bindings | undefined {
  const attempt = new Map(bindings);
  return canAssignAll(attempt, given, wanted) ? attempt : undefined;
}

function canAssignAll(bindings: Map<string, CelType>, given: readonly CelType[], wanted: readonly CelType[]): boolean {
  return given.length === wanted.length && given.every((type, i) => canAssign(bindings, type, wanted[i] as CelType));
}

function canAssign(bindings: Map<string, CelType>, given: CelType, wanted: CelType): boolean {
  if (wanted.kind === 'param') {
    const { isValid, isBound } = bind(bindings, given, wanted);
    if (isValid || isBound) return isValid;
  }
  if (given.kind === 'param') return bind(bindings, wanted, given).isValid;
  if (isWild(given) || isWild(wanted)) return true;
  if (given.kind === 'null') return isNullable(wanted);
  if (wanted.kind === 'null') return isNullable(given);
  switch (given.kind) {
    case 'type':
      return wanted.kind === 'type';
    case 'opaque':
    case 'list':
    case 'map':
      return given.kind === wanted.kind && given.name === wanted.name && canAssignAll(bindings, given.params, wanted.params);
    default:
      return given.kind === wanted.kind && given.name === wanted.name;
  }
}

/** Lets `param` stand for `type`, if what it stands for already allows that. */
function bind(bindings: Map<string, CelType>, type: CelType, param: CelType): { isValid: boolean; isBound: boolean } {
  if (isSameType(type, param)) return { isValid: true, isBound: true };
  const bound = bindings.get(param.name);
  if (bound) {
    if (isSameType(type, bound)) return { isValid: true, isBound: true };
    if (!canAssign(bindings, type, bound)) return { isValid: false, isBound: true };
    const general = mostGeneral(type, bound);
    if (!occursIn(bindings, param, general)) bindings.set(param.name, general);
    return { isValid: true, isBound: true };
  }
  if (occursIn(bindings, param, type)) return { isValid: false, isBound: false };
  bindings.set(param.name, type);
  return { isValid: true, isBound: false };
}

function occursIn(bindings: Bindings, param: CelType, type: CelType): boolean {
  if (isSameType(param, type)) return true;
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    return bound !== undefined && occursIn(bindings, param, bound);
  }
  return type.params.some((each) => occursIn(bindings, param, each));
}

/** Of two types that agree, the one that allows more. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isAsGeneral(a, b) ? a : b;
}

function isAsGeneral(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param' || a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  return (
    a.name === b.name && a.params.length === b.params.length && a.params.every((param, i) => isAsGeneral(param, b.params[i] as CelType))
  );
}

/** `type` with its parameters replaced by what they stand for; those that stand for nothing become dyn if `isFinal`. */
export function substitute(bindings: Bindings, type: CelType, isFinal = false): CelType {
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    if (bound) return substitute(bindings, bound, isFinal);
    return isFinal ? dynType : type;
  }
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((param) => substitute(bindings, param, isFinal)) };
}
