// An API server on a memory store for tests: in-process, on a clock and with chance of the test's own.

import type { Clock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { createClient } from '../client/rest-client.ts';
import { type ApiRequest, readBody } from '../client/transport.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { mastersAuthorizer, publicInfoAuthorizer, unionAuthorizer } from './authz/authorizer.ts';
import { allResources } from './resources/all.ts';
import type { UserInfo } from './resources/resource.ts';
import { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts';

export const root: UserInfo = { name: 'root', groups: ['system:masters'] };

export interface ServerFixture {
  server: ApiServer;
  store: Store;
  clock: VirtualClock;
  client: ReturnType<typeof createClient>;
  /** One request as root; the body parsed when it is JSON. */
  ask(method: ApiRequest['method'], path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

export async function startServer(options: Partial<ApiServerOptions> & { clock?: Clock } = {}): Promise<ServerFixture> {
  const clock = new VirtualClock();
  const store = options.store ?? createMemoryStore();
  const server = await createApiServer({
    store,
    clock,
    random: seededRandom(1),
    log: silentLog,
    resources: allResources,
    authenticators: [],
    authorizer: unionAuthorizer([mastersAuthorizer, publicInfoAuthorizer]),
    ...options,
  });
  await server.ready();
  const transport = server.transport(root);
  return {
    server,
    store,
    clock,
    client: createClient(transport),
    async ask(method, path, body, headers = {}) {
      const response = await transport.request({
        method,
        path,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = (await readBody(response)).toString();
      // A watch answers with one object a line.
      const isJson = response.headers['content-type']?.startsWith('application/json') && !/[?&]watch=/.test(path);
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    async close() {
      await server.close(0);
      await store.close();
    },
  };
}
