// YAML bodies, as sigs.k8s.io/yaml turns them into JSON: the first document, YAML 1.1's booleans and octals, but times and
// sexagesimal numbers left as strings, and keys of any scalar type written as strings.

import { LineCounter, parseAllDocuments, type Scalar, visit, type YAMLMap } from 'yaml';
import { longInteger, parseJson } from '../../api/json.ts';
import { DecodeError, depthMax } from './check.ts';
import { countKeys, outlineOf } from './json-scan.ts';

export interface YamlBody {
  value: unknown;
  /** `line 5: key "name" already set in map`. */
  duplicates: string[];
}

/** Tags of YAML 1.1 that Go's library leaves alone. */
const leftAlone = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
]);
const aliasesMax = 100;

/** @throws DecodeError when the text is no YAML */
export function parseYamlBody(text: string): YamlBody {
  const json = parseAsJson(text);
  return json === undefined ? parseAsYaml(text) : { value: json, duplicates: [] };
}

/** Most clients write JSON where they say YAML, and a JSON parser is far quicker. Duplicate keys are left to the slow way, which names their lines. */
function parseAsJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  const outline = outlineOf(Buffer.from(text));
  if (outline.depthMax > depthMax) return undefined;
  try {
    const value: unknown = outline.hasOddNumber ? parseJson(text) : JSON.parse(text);
    return countKeys(value) === outline.keys ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseAsYaml(text: string): YamlBody {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    lineCounter,
    intAsBigInt: true,
    logLevel: 'silent',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || (!leftAlone.has(tag.tag) && tag.format !== 'TIME')),
  });
  const document = 'empty' in documents ? undefined : documents[0];
  if (!document) return { value: null, duplicates: [] };
  const failure = document.errors[0];
  if (failure)
    throw new DecodeError(`error converting YAML to JSON: yaml: line ${failure.linePos?.[0].line ?? 1}: ${failure.message.split('\n')[0]}`);
  const duplicates: string[] = [];
  const checkDepth = (path: readonly unknown[]) => {
    if (path.length > depthMax) throw new DecodeError('exceeded max depth');
  };
  visit(document, {
    Node: (_key, _node, path) => checkDepth(path),
    Scalar(_key, scalar, path) {
      checkDepth(path);
      if (typeof scalar.value === 'bigint') scalar.value = longInteger(String(scalar.value)) ?? Number(scalar.value);
    },
    Map(_key, map: YAMLMap) {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const key = pair.key as Scalar | null;
        const name = String(key?.value);
        if (seen.has(name))
          duplicates.push(`line ${lineCounter.linePos(key?.range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`);
        seen.add(name);
      }
    },
  });
  try {
    return { value: document.toJS({ maxAliasCount: aliasesMax }) as unknown, duplicates };
  } catch (error) {
    if (error instanceof ReferenceError) throw new DecodeError(`error converting YAML to JSON: yaml: ${error.message}`);
    throw error;
  }
}
