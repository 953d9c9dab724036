// Joins client-node's declarations with our facts into the machine schema that apiserver/schema/schema.ts loads. A field
// is one string: its type, then what it has beside (see `encodeField`), so that the file is small and loads fast.

import type { Attribute, Model } from './declarations.ts';

/** apiserver/schema/facts.ts, as values. */
export interface Facts {
  packages: readonly { prefix: string; group: string; names: string }[];
  schemaless: Readonly<Record<string, string>>;
  atomicObjects: string;
  unions: Readonly<Record<string, string>>;
  optionGroupVersions: string;
  fieldFacts: string;
  valueObjects: string;
  goTypes: string;
}

export interface CompiledDefinition {
  /** Field name -> `type[ fact]...`. */
  p?: Record<string, string>;
  /** Required fields. */
  r?: string[];
  /** Group, version, kind of what can be a whole body. */
  g?: [string, string, string][];
  /** x-kubernetes-map-type: atomic. */
  a?: 1;
  /** The OpenAPI type of a definition without properties. */
  t?: string;
  /** x-kubernetes-unions, as in the facts. */
  u?: string;
}

export interface CompiledSchema {
  models: { names: string[]; definitions: CompiledDefinition[] };
  /** By definition name: its description, and those of its fields. */
  descriptions: Record<string, [string, Record<string, string>]>;
}

const apimachinery = 'io.k8s.apimachinery.pkg';
const scalarNames: Readonly<Record<string, string>> = {
  Date: `#${apimachinery}.apis.meta.v1.Time`,
  V1MicroTime: `#${apimachinery}.apis.meta.v1.MicroTime`,
  IntOrString: `#${apimachinery}.util.intstr.IntOrString`,
  boolean: 'boolean',
};

/** @throws when a declaration or fact finds no counterpart, so that an update of client-node cannot pass unseen */
export function compileSchema(models: Map<string, Model>, facts: Facts): CompiledSchema {
  const names = facts.packages.flatMap((p) => words(p.names).map((name) => `${p.prefix}.${name}`));
  const index = new Map(names.map((name, i) => [name, i]));
  const modelNames = new Map<string, string>();
  const definitionOfModel = new Map<string, string>();
  for (const name of names) {
    const model = modelNameOf(name, models);
    if (model) {
      modelNames.set(name, model);
      definitionOfModel.set(model, name);
    } else if (!(name in facts.schemaless)) throw new Error(`${name}: client-node declares no such model`);
  }
  const shortNames = new Map(names.map((name) => [shortNameOf(name), name]));
  const byField = tableOf(facts.fieldFacts);
  const goByField = goTypesOf(facts.goTypes);
  const atomic = new Set(words(facts.atomicObjects));
  const values = new Set(words(facts.valueObjects));
  const used = new Set<string>();

  const refOf = (type: string): string => {
    const at = index.get(type.slice(1));
    if (at === undefined) throw new Error(`${type}: no such definition`);
    return `#${at}`;
  };
  const typeOf = (type: string, format: string, override: string | undefined): string => {
    const list = /^Array<(.*)>$/.exec(type);
    if (list) return `[]${typeOf(list[1]!, format, override)}`;
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
    if (map) return `{}${typeOf(map[1]!, format, override)}`;
    if (override) return refOf(`#${override}`);
    if (type === 'string') return format === 'byte' ? 'byte' : format === '' ? 'string' : fail(`string of format ${format}`);
    if (type === 'number') return format || fail('number without a format');
    const scalar = scalarNames[type];
    if (scalar) return scalar.startsWith('#') ? refOf(scalar) : scalar;
    return refOf(`#${definitionOfModel.get(type) ?? fail(`type ${type}`)}`);
  };
  const encodeField = (definition: string, attribute: Attribute): string => {
    const key = `${shortNameOf(definition)}.${attribute.name}`;
    const tokens = byField.get(key) ?? [];
    if (byField.has(key)) used.add(key);
    const override = tokens.find((token) => token.startsWith('type='))?.slice('type='.length);
    const target =
      override && (names.find((n) => n === siblingName(definition, override)) ?? names.find((n) => n.endsWith(`.${override}`)));
    if (override && !target) fail(`${key}: type ${override}`);
    const type = typeOf(attribute.type, attribute.format, target);
    const rest = tokens.filter((token) => !token.startsWith('type='));
    if (type.startsWith('[]') && attribute.name === 'items' && definition.endsWith('List')) rest.push('untyped');
    if (values.delete(key) || (attribute.name === 'metadata' && type.startsWith('#'))) rest.push('value');
    const go = goByField.get(key);
    if (go) rest.push(`go=${go}`);
    return [type, ...rest].join(' ');
  };

  const definitions: CompiledDefinition[] = [];
  const descriptions: CompiledSchema['descriptions'] = {};
  for (const name of names) {
    const short = shortNameOf(name);
    const definition: CompiledDefinition = {};
    const model = models.get(modelNames.get(name) ?? '');
    if (model) {
      definition.p = Object.fromEntries(model.attributes.map((attribute) => [attribute.name, encodeField(name, attribute)]));
      const required = model.attributes.filter((attribute) => attribute.required).map((attribute) => attribute.name);
      if (required.length > 0) definition.r = required;
      const group = facts.packages.find((p) => name === `${p.prefix}.${kindOf(name)}`)!.group;
      const kinds = kindsOf(name, definition.p, group, facts.optionGroupVersions);
      if (kinds.length > 0) definition.g = kinds;
      const texts = model.attributes.filter((attribute) => attribute.description).map((a) => [a.name, a.description] as const);
      descriptions[name] = [model.description, Object.fromEntries(texts)];
    } else definition.t = facts.schemaless[name]!;
    if (atomic.has(short)) definition.a = 1;
    const union = facts.unions[short];
    if (union) definition.u = union;
    definitions.push(definition);
  }
  for (const key of values) fail(`${key}: a fact about no field`);
  for (const key of byField.keys()) if (!used.has(key)) fail(`${key}: a fact about no field`);
  for (const key of [...atomic, ...Object.keys(facts.unions)]) if (!shortNames.has(key)) fail(`${key}: a fact about no definition`);
  return { models: { names, definitions }, descriptions };
}

/** `io.k8s.api.core.v1.Pod` is `V1Pod`, or `CoreV1Pod` where the name alone is not unique. */
function modelNameOf(definition: string, models: Map<string, Model>): string | undefined {
  const [group, version, kind] = definition.split('.').slice(-3) as [string, string, string];
  const plain = capitalize(version) + kind;
  return [capitalize(group) + plain, plain, kind === 'Info' ? 'VersionInfo' : ''].find((name) => models.has(name));
}

/** What can stand alone as a body: whatever says its own apiVersion, kind and metadata, and a few of meta/v1 that have no metadata. */
function kindsOf(name: string, fields: Record<string, string>, group: string, optionGroupVersions: string): [string, string, string][] {
  const [packageName, version, kind] = name.split('.').slice(-3) as [string, string, string];
  if (packageName === 'meta' && (kind === 'DeleteOptions' || kind === 'WatchEvent')) {
    return words(optionGroupVersions).map((gv) => [...splitGroupVersion(gv), kind]);
  }
  const stands = 'apiVersion' in fields && 'kind' in fields && ('metadata' in fields || (packageName === 'meta' && kind.startsWith('API')));
  return stands && kind !== 'APIResource' ? [[group, version, kind]] : [];
}

function splitGroupVersion(groupVersion: string): [string, string] {
  const slash = groupVersion.indexOf('/');
  return [groupVersion.slice(0, Math.max(slash, 0)), groupVersion.slice(slash + 1)];
}

/** The name that facts use: the package's last two words and the kind. */
function shortNameOf(definition: string): string {
  return definition.split('.').slice(-3).join('.');
}
function siblingName(definition: string, kind: string): string {
  return `${definition.slice(0, definition.lastIndexOf('.'))}.${kind}`;
}
const kindOf = (definition: string) => definition.slice(definition.lastIndexOf('.') + 1);
const words = (text: string): string[] => text.trim().split(/\s+/);
const capitalize = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);

/** Lines of `definition.field fact...`. */
function tableOf(text: string): Map<string, string[]> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return new Map(lines.map((line) => [words(line)[0]!, words(line).slice(1)]));
}
/** A line that starts with blanks goes on with the type before it. */
function goTypesOf(text: string): Map<string, string> {
  const byField = new Map<string, string>();
  for (const entry of text.trim().split(/\n(?! )/)) {
    const [type, ...fields] = words(entry);
    for (const field of fields) byField.set(field, type!);
  }
  return byField;
}
function fail(message: string): never {
  throw new Error(`schema: ${message} is not understood`);
}
