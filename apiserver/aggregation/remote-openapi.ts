// What aggregated API servers publish of their OpenAPI, as it was when they were last asked: documents of version 2 to be
// merged with ours, and where their documents of version 3 lie.

import { createHash } from 'node:crypto';
import { toOpenApiV3 } from './convert-openapi.ts';
import { type OpenApiJson, ofPaths } from './merge-openapi.ts';

/** An answer to a GET; what is no JSON has no body. */
export interface RemoteAnswer {
  status: number;
  etag: string | undefined;
  body: unknown;
}

interface Published {
  group: string;
  version: string;
  /** Of version 2, the server's own paths. */
  v2: OpenApiJson | undefined;
  v2Etag: string | undefined;
  /** Where documents of version 3 lie on the server, by path (`apis/GROUP/VERSION`); undefined: it has none. */
  v3: ReadonlyMap<string, string> | undefined;
  /** For a server that has none of version 3: made from the one of version 2. */
  converted: { bytes: Buffer; etag: string } | undefined;
}

export class RemoteOpenApi {
  readonly #published = new Map<string, Published>();
  /** Grows whenever what is published changes. */
  generation = 0;

  /** Asks an API service's server. What it does not answer stays as it was. */
  async refresh(
    name: string,
    { group, version }: { group: string; version: string },
    ask: (path: string, etag?: string) => Promise<RemoteAnswer>,
  ): Promise<void> {
    const before = this.#published.get(name);
    const [v2, index] = await Promise.all([ask('/openapi/v2', before?.v2Etag), ask('/openapi/v3')]);
    let published: Published = before ?? { group, version, v2: undefined, v2Etag: undefined, v3: undefined, converted: undefined };
    if (v2.status === 200 && isObject(v2.body))
      published = { ...published, v2: ofPaths(v2.body, `/apis/${group}/${version}/`), v2Etag: v2.etag };
    else if (v2.status === 404) published = { ...published, v2: undefined, v2Etag: undefined };
    if (index.status === 200) published = { ...published, v3: indexOf(index.body, group, version) };
    else if (index.status === 404) published = { ...published, v3: undefined };
    published = { ...published, converted: convertedOf(published, before) };
    if (before && JSON.stringify(forComparison(before)) === JSON.stringify(forComparison(published))) return;
    this.#published.set(name, published);
    this.generation++;
  }

  /** Forgets the API services that are not among `names`. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#published.keys()) {
      if (names.has(name)) continue;
      this.#published.delete(name);
      this.generation++;
    }
  }

  /** Documents of version 2, in the order of `names`. */
  v2(names: readonly string[]): OpenApiJson[] {
    return names.map((name) => this.#published.get(name)?.v2).filter((document) => document !== undefined);
  }

  /** Where documents of version 3 lie, by path. */
  v3Paths(): Map<string, string> {
    const paths = new Map<string, string>();
    for (const { group, version, v3, converted } of this.#published.values()) {
      const path = `apis/${group}/${version}`;
      for (const [key, url] of v3 ?? []) paths.set(key, url);
      if (converted) paths.set(path, `/openapi/v3/${path}?hash=${converted.etag.replaceAll('"', '')}`);
    }
    return paths;
  }

  /** A document of version 3 that was made here. */
  converted(path: string): { bytes: Buffer; etag: string } | undefined {
    for (const { group, version, converted } of this.#published.values()) if (path === `apis/${group}/${version}`) return converted;
    return undefined;
  }
}

const forComparison = ({ v2, v3, converted }: Published) => [v2, v3 && [...v3], converted?.etag];

/** Of a server's index, what belongs to the group version: others are not its to describe. */
function indexOf(body: unknown, group: string, version: string): Map<string, string> {
  const { paths } = (isObject(body) ? body : {}) as { paths?: unknown };
  const found = new Map<string, string>();
  for (const path of [`apis/${group}`, `apis/${group}/${version}`]) {
    const entry = isObject(paths) ? paths[path] : undefined;
    const url = isObject(entry) ? entry['serverRelativeURL'] : undefined;
    if (typeof url === 'string') found.set(path, url);
  }
  return found;
}

function convertedOf({ v2, v3 }: Published, before: Published | undefined): Published['converted'] {
  if (v3 || !v2) return undefined;
  if (before?.converted && before.v2 === v2) return before.converted;
  const bytes = Buffer.from(JSON.stringify(toOpenApiV3(v2)));
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
}

const isObject = (value: unknown): value is OpenApiJson => typeof value === 'object' && value !== null && !Array.isArray(value);
