// The process under measurement in bench/api.ts: an API server on the store named in argv, answering its parent's
// questions for CPU and memory.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { certificateAuthenticator } from '../apiserver/authn/authenticator.ts';
import { mastersAuthorizer } from '../apiserver/authz/authorizer.ts';
import { ensurePki } from '../apiserver/pki/pki.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { openLmdbStore } from '../store/lmdb.ts';
import { createMemoryStore } from '../store/memory.ts';

const directory = mkdtempSync(join(process.cwd(), '.cache-bench-api-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const store = process.argv[2] === 'memory' ? createMemoryStore() : await openLmdbStore({ directory: join(directory, 'store') });
const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: {}, clock: systemClock });
const server = await createApiServer({
  store,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  resources: allResources,
  admission: (view) => builtInAdmission(view, { random: systemRandom }),
  authenticators: [certificateAuthenticator],
  authorizer: mastersAuthorizer,
});
await server.ready();
const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
process.send?.({ port, ca: pki.authority.certPem, cert: pki.admin.certPem, key: pki.admin.keyPem });
process.on('message', (question) => {
  if (question === 'stop') {
    void server
      .close(0)
      .then(() => store.close())
      .then(() => process.exit(0));
    return;
  }
  if (question === 'collect') globalThis.gc?.();
  process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss });
});
