// OpenAPI 2 of several servers in one document: what another server says about its own paths is added, with its
// definitions, which get another name where ours has one that means something else (k8s.io/kube-openapi/pkg/aggregator).

import { isDeepStrictEqual } from 'node:util';

/** JSON of unknown shape: what a server answers. */
export type OpenApiJson = Record<string, unknown>;

const definitionPrefix = '#/definitions/';
const gvk = 'x-kubernetes-group-version-kind';

/** Of a document the paths below a prefix, and the definitions that they or nobody refers to. */
export function ofPaths(document: OpenApiJson, prefix: string): OpenApiJson {
  const paths = Object.fromEntries(Object.entries(partOf(document, 'paths')).filter(([path]) => path.startsWith(prefix)));
  const definitions = partOf(document, 'definitions');
  const usedByAll = usedIn(partOf(document, 'paths'), definitions);
  const used = usedIn(paths, definitions);
  const kept = Object.entries(definitions).filter(([name]) => used.has(name) || !usedByAll.has(name));
  return { ...document, paths, definitions: Object.fromEntries(kept) };
}

/** `document` with what `others` add; paths that it has already stay its own. Changes neither. */
export function mergeOpenApi(document: OpenApiJson, others: readonly OpenApiJson[]): OpenApiJson {
  if (others.length === 0) return document;
  const paths = { ...partOf(document, 'paths') };
  const definitions = { ...partOf(document, 'definitions') };
  for (const other of others) {
    const own = partOf(other, 'definitions');
    const names = new Map(Object.entries(own).map(([name, definition]) => [name, freeName(name, definition, definitions)]));
    for (const [name, definition] of Object.entries(own)) {
      const target = names.get(name) as string;
      definitions[target] = withKinds(definitions[target], renamed(definition, names));
    }
    for (const [path, item] of Object.entries(partOf(other, 'paths'))) paths[path] ??= renamed(item, names);
  }
  return { ...document, paths, definitions };
}

function partOf(document: OpenApiJson, name: 'paths' | 'definitions'): OpenApiJson {
  const part = document[name];
  return isObject(part) ? part : {};
}

/** The name itself where it is free or means the same, else the first of `name_v2`, `name_v3`, ... of which that is so. */
function freeName(name: string, definition: unknown, taken: OpenApiJson): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}_v${i}`;
    const before = taken[candidate];
    if (before === undefined || isDeepStrictEqual(withoutKinds(before), withoutKinds(definition))) return candidate;
  }
}

function withoutKinds(definition: unknown): unknown {
  if (!isObject(definition)) return definition;
  const { [gvk]: _, ...rest } = definition;
  return rest;
}

/** A definition that is of the kinds of both. */
function withKinds(before: unknown, definition: unknown): unknown {
  if (!isObject(before) || !isObject(definition)) return definition;
  const [own, others] = [before, definition].map((each) => (Array.isArray(each[gvk]) ? (each[gvk] as unknown[]) : []));
  const added = (others ?? []).filter((kind) => !own?.some((each) => isDeepStrictEqual(each, kind)));
  return added.length === 0 ? before : { ...before, [gvk]: [...(own ?? []), ...added] };
}

/** The definitions that a value refers to, directly or by others. */
function usedIn(value: unknown, definitions: OpenApiJson): Set<string> {
  const used = new Set<string>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (Array.isArray(next)) waiting.push(...next);
    else if (isObject(next)) {
      const name = referenceOf(next['$ref']);
      if (name !== undefined && !used.has(name)) {
        used.add(name);
        waiting.push(definitions[name]);
      }
      waiting.push(...Object.values(next));
    }
  }
  return used;
}

/** A copy in which references have the names that definitions got. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = key === '$ref' ? referenceOf(item) : undefined;
      return [key, name === undefined ? renamed(item, names) : definitionPrefix + (names.get(name) ?? name)];
    }),
  );
}

function referenceOf(reference: unknown): string | undefined {
  return typeof reference === 'string' && reference.startsWith(definitionPrefix) ? reference.slice(definitionPrefix.length) : undefined;
}

const isObject = (value: unknown): value is OpenApiJson => typeof value === 'object' && value !== null && !Array.isArray(value);
