// /api and /apis: the discovery documents, kept as bytes until what is served changes.

import { createHash } from 'node:crypto';
import { Counter, type Registry } from 'prom-client';
import type { Aggregator } from '../aggregation/aggregator.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions, type RemoteVersion } from '../discovery/documents.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson } from '../negotiate/render.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import { refuseUnlessGet } from './handler.ts';

export class DiscoveryHandler {
  readonly #resources: ResourceTable;
  readonly #serverAddress: () => string;
  readonly #aggregator: Pick<Aggregator, 'remote' | 'generation'>;
  readonly #documents = new Map<string, string | undefined>();
  #generation = '';
  readonly #aggregations: Counter;

  constructor(options: {
    resources: ResourceTable;
    serverAddress(): string;
    aggregator: Pick<Aggregator, 'remote' | 'generation'>;
    registry: Registry;
  }) {
    this.#resources = options.resources;
    this.#serverAddress = options.serverAddress;
    this.#aggregator = options.aggregator;
    this.#aggregations = new Counter({
      name: 'aggregator_discovery_aggregation_count_total',
      help: 'Counter of number of times discovery was aggregated',
      registers: [options.registry],
    });
  }

  /** False when the path is none of discovery's. */
  async serve(ctx: ApiContext): Promise<boolean> {
    const path = ctx.state.info.path.replace(/\/$/, '');
    if (!/^\/apis?(\/|$)/.test(path)) return false;
    if (path === '/api' || path === '/apis') {
      refuseUnlessGet(ctx);
      const version = aggregatedVersion(ctx.req.headers.accept);
      if (version) {
        sendAggregated(
          ctx,
          this.#document(`${path} ${version}`, (all) => {
            this.#aggregations.inc();
            return aggregatedDiscovery(all, path === '/api', version, this.#aggregator.remote);
          }) as string,
          version,
        );
        return true;
      }
    }
    const json = this.#document(path, (all) =>
      documentOf(path, all, { serverAddress: this.#serverAddress(), remote: this.#aggregator.remote }),
    );
    if (json === undefined) return false;
    refuseUnlessGet(ctx);
    await sendJson(ctx, 200, json, readAccept(ctx.req.headers.accept, false));
    return true;
  }

  #document(key: string, make: (declarations: ResourceTable['declarations']) => object | undefined): string | undefined {
    const generation = `${this.#resources.generation} ${this.#aggregator.generation}`;
    if (this.#generation !== generation) {
      this.#documents.clear();
      this.#generation = generation;
    }
    let json = this.#documents.get(key);
    if (json === undefined) {
      const document = make(this.#resources.declarations);
      if (!document) return undefined;
      json = JSON.stringify(document);
      this.#documents.set(key, json);
    }
    return json;
  }
}

function documentOf(
  path: string,
  declarations: ResourceTable['declarations'],
  { serverAddress, remote }: { serverAddress: string; remote: readonly RemoteVersion[] },
): object | undefined {
  const [, root, first, second, ...more] = path.split('/');
  if (more.length) return undefined;
  if (root === 'api') {
    if (first === undefined) return apiVersions(serverAddress);
    return second === undefined ? apiResourceList(declarations, '', first) : undefined;
  }
  if (first === undefined) return apiGroupList(declarations, remote);
  return second === undefined ? apiGroup(declarations, first, remote) : apiResourceList(declarations, first, second);
}

function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const clause of accept?.split(',') ?? []) {
    const parameters = new Set(clause.split(';').map((part) => part.trim()));
    if (!parameters.has('application/json') && !parameters.has('*/*')) continue;
    if (!parameters.has('as=APIGroupDiscoveryList')) {
      if (parameters.size === 1) return undefined;
      continue;
    }
    if (parameters.has('v=v2')) return 'v2';
    if (parameters.has('v=v2beta1')) return 'v2beta1';
  }
  return undefined;
}

function sendAggregated(ctx: ApiContext, json: string, version: string): void {
  const etag = `"${createHash('sha512').update(json).digest('hex').toUpperCase()}"`;
  ctx.set('ETag', etag);
  ctx.set('Vary', 'Accept');
  ctx.set('Cache-Control', 'public');
  if (ctx.req.headers['if-none-match'] === etag) {
    ctx.status = 304;
    return;
  }
  send(ctx, 200, `${jsonType};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`, json);
}
