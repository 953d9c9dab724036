// The schema of the built-in kinds: loads what tools/generate.ts compiled and turns it into nodes on demand.

import { readFileSync } from 'node:fs';
import { LazyObjectNode, type ListType, type ObjectNode, type PatchStrategy, type ScalarType, type SchemaNode } from './node.ts';

/** A definition as compiled: see tools/schema/compile.ts for the letters. */
export interface CompiledDefinition {
  p?: Record<string, string>;
  r?: string[];
  g?: [group: string, version: string, kind: string][];
  a?: 1;
  t?: string;
  u?: string;
}

/** A compiled field, taken apart. */
export interface FieldFacts {
  /** `#12`, `[]string`, `{}#3`, `int32`, ... */
  type: string;
  listType?: ListType;
  keys: readonly string[];
  patch?: PatchStrategy;
  /** The patch strategy as OpenAPI prints it: `merge,retainKeys`. */
  strategy?: string;
  mapType?: 'atomic' | 'granular';
  /** An object that is there even when nothing is said. */
  isValue?: boolean;
  default?: unknown;
  goType?: string;
  /** A list whose list type is not said. */
  isUntyped: boolean;
}

interface CompiledModels {
  names: string[];
  definitions: CompiledDefinition[];
}

let loaded: CompiledModels | undefined;
let indexes: Map<string, number> | undefined;
let byKind: Map<string, number> | undefined;
const nodes: (SchemaNode | undefined)[] = [];

/** The compiled definitions; read from the generated file on first use. */
export function compiledModels(): CompiledModels {
  if (loaded) return loaded;
  const file = new URL('./models.generated.json', import.meta.url);
  try {
    loaded = JSON.parse(readFileSync(file, 'utf8')) as CompiledModels;
  } catch (error) {
    throw new Error(`${file.pathname} cannot be read: run \`npm run generate\``, { cause: error });
  }
  return loaded;
}

/** The schema of a kind's body, or undefined when the kind is not built in. Group '' is core. */
export function schemaOf(group: string, version: string, kind: string): ObjectNode | undefined {
  const at = indexOfKind(group, version, kind);
  const node = at === undefined ? undefined : nodeAt(at);
  return node?.type === 'object' ? node : undefined;
}

/** The OpenAPI name of a built-in kind: `io.k8s.api.core.v1.Pod`. */
export function builtInName(group: string, version: string, kind: string): string | undefined {
  const at = indexOfKind(group, version, kind);
  return at === undefined ? undefined : compiledModels().names[at];
}

function indexOfKind(group: string, version: string, kind: string): number | undefined {
  if (!byKind) {
    byKind = new Map();
    const { definitions } = compiledModels();
    for (let i = 0; i < definitions.length; i++) for (const [g, v, k] of definitions[i]!.g ?? []) byKind.set(`${g}/${v}/${k}`, i);
  }
  return byKind.get(`${group}/${version}/${kind}`);
}

/** The node of a definition by its OpenAPI name (`io.k8s.api.core.v1.PodSpec`). */
export function definitionNode(name: string): SchemaNode | undefined {
  const at = indexOfDefinition(name);
  return at === undefined ? undefined : nodeAt(at);
}

export function indexOfDefinition(name: string): number | undefined {
  indexes ??= new Map(compiledModels().names.map((n, i) => [n, i]));
  return indexes.get(name);
}

/** Takes a compiled field apart. */
export function parseField(field: string): FieldFacts {
  const [type, ...tokens] = splitFacts(field);
  const facts: FieldFacts = { type: type!, keys: [], isUntyped: false };
  if (type!.startsWith('[]')) facts.listType = 'atomic';
  for (const token of tokens) {
    const equals = token.indexOf('=');
    const word = equals < 0 ? token : token.slice(0, equals);
    const value = equals < 0 ? '' : token.slice(equals + 1);
    if (word === 'untyped') facts.isUntyped = true;
    else if (word === 'listType') facts.listType = value as ListType;
    else if (word === 'set') facts.listType = 'set';
    else if (word === 'map') {
      facts.listType = 'map';
      facts.keys = value.split(',');
    } else if (word === 'value') facts.isValue = true;
    else if (word === 'go') facts.goType = value;
    else if (word === 'default') facts.default = JSON.parse(value);
    else if (word === 'atomic' || word === 'granular') facts.mapType = word;
    else {
      facts.strategy = word;
      facts.patch = { ...(value ? { mergeKey: value } : {}) };
      for (const strategy of word.split(',')) facts.patch[strategy as 'merge' | 'replace' | 'retainKeys'] = true;
    }
  }
  return facts;
}

/** Blanks separate facts, except within a default's quotes. */
function splitFacts(field: string): string[] {
  return field.includes('"') ? field.match(/(?:"[^"]*"|[^ ])+/g)! : field.split(' ');
}

/** `v1.Pod` of `io.k8s.api.core.v1.Pod`: Go prints the package's last word. */
export function goTypeOf(definition: string): string {
  return definition.split('.').slice(-2).join('.');
}

const named: Readonly<Record<string, SchemaNode>> = {
  Quantity: { type: 'scalar', scalar: 'quantity', goType: 'resource.Quantity' },
  Time: { type: 'scalar', scalar: 'time', goType: 'v1.Time' },
  MicroTime: { type: 'scalar', scalar: 'microTime', goType: 'v1.MicroTime' },
  IntOrString: { type: 'scalar', scalar: 'intOrString', goType: 'intstr.IntOrString' },
  RawExtension: { type: 'any', mustBeObject: true, isGranular: true, goType: 'runtime.RawExtension' },
  FieldsV1: { type: 'any', mustBeObject: true, isGranular: false, goType: 'v1.FieldsV1' },
  Patch: { type: 'any', mustBeObject: false, isGranular: false, goType: 'v1.Patch' },
};

function nodeAt(at: number): SchemaNode {
  const cached = nodes[at];
  if (cached) return cached;
  const name = compiledModels().names[at]!;
  const definition = compiledModels().definitions[at]!;
  const node = buildDefinition(name, definition);
  nodes[at] = node;
  return node;
}

function buildDefinition(name: string, definition: CompiledDefinition): SchemaNode {
  const scalar = named[name.slice(name.lastIndexOf('.') + 1)];
  if (scalar && !definition.p) return scalar;
  // JSON, JSONSchemaPropsOrBool and their like: whatever a JSON schema may hold.
  if (!definition.p && definition.t === '') return { type: 'any', mustBeObject: false, isGranular: false, goType: goTypeOf(name) };
  const compiled = Object.entries(definition.p ?? {});
  return new LazyObjectNode({
    name,
    goType: goTypeOf(name),
    required: definition.r ?? [],
    isAtomic: definition.a === 1,
    patch: undefined,
    isValue: false,
    fields: () => new Map(compiled.map(([field, text]) => [field, buildField(parseField(text))])),
  });
}

function buildField(facts: FieldFacts): SchemaNode {
  const base = buildType(facts.type, facts);
  const isSame = !facts.patch && facts.default === undefined && !facts.goType && !facts.mapType && !facts.isValue;
  if (isSame) return base;
  const beside = {
    ...(facts.patch ? { patch: facts.patch } : {}),
    ...(facts.default === undefined ? {} : { default: facts.default }),
    goType: facts.goType ?? base.goType,
  };
  if (base.type === 'object') {
    return new LazyObjectNode({
      name: base.name,
      goType: beside.goType,
      required: base.required,
      isAtomic: facts.mapType ? facts.mapType === 'atomic' : base.isAtomic,
      patch: facts.patch,
      isValue: facts.isValue ?? false,
      fields: () => base.fields,
    });
  }
  if (base.type === 'map') return { ...base, ...beside, isAtomic: facts.mapType === 'atomic' };
  return { ...base, ...beside };
}

function buildType(type: string, facts: FieldFacts): SchemaNode {
  if (type.startsWith('#')) return nodeAt(Number(type.slice(1)));
  if (type.startsWith('[]')) {
    const element = buildType(type.slice(2), { type: type.slice(2), keys: [], isUntyped: false });
    // Go's name of the list tells its elements' when they have one: []v1.Capability.
    const item = facts.goType?.startsWith('[]') ? withGoType(element, facts.goType.slice(2)) : element;
    return { type: 'list', item, listType: facts.listType ?? 'atomic', keys: facts.keys, goType: `[]${item.goType}` };
  }
  if (type.startsWith('{}')) {
    const value = buildType(type.slice(2), { type: type.slice(2), keys: [], isUntyped: false });
    return { type: 'map', value, isAtomic: false, goType: `map[string]${value.goType}` };
  }
  return scalars[type as ScalarType] ?? unknownType(type);
}

function withGoType(node: SchemaNode, goType: string): SchemaNode {
  return node.type === 'scalar' && node.goType !== goType ? { ...node, goType } : node;
}

const scalar = (type: ScalarType, goType: string = type): SchemaNode => ({ type: 'scalar', scalar: type, goType });
const scalars: Readonly<Partial<Record<ScalarType, SchemaNode>>> = {
  string: scalar('string'),
  boolean: scalar('boolean', 'bool'),
  int32: scalar('int32'),
  int64: scalar('int64'),
  double: scalar('double', 'float64'),
  byte: scalar('byte', '[]uint8'),
};
function unknownType(type: string): never {
  throw new Error(`unknown compiled type ${type}`);
}
