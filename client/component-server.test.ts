import assert from 'node:assert/strict';
import { request } from 'node:https';
import { type TestContext, test } from 'node:test';
import { createAuthority, createCertificate, type KeyPairPem } from '../apiserver/pki/certificates.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { Cluster } from '../testing/cluster.ts';
import { startComponentServer } from './component-server.ts';
import { DelegatedAccess } from './delegated-access.ts';

async function serving(t: TestContext) {
  const cluster = await Cluster.start({ nodes: 0 });
  t.after(() => cluster.close());
  const authority = await createAuthority('test-ca', systemClock);
  const certificate = (commonName: string, ...organizations: string[]) =>
    createCertificate(authority, { commonName, organizations, serverNames: ['127.0.0.1'], isClient: true, validDays: 1 }, systemClock);
  const own = await certificate('kube-scheduler');
  const server = await startComponentServer({
    access: new DelegatedAccess({ client: cluster.clientOf('system:kube-scheduler'), clock: cluster.clock }),
    pages: { '/metrics': () => cluster.metricsOf('kube-scheduler') },
    address: '127.0.0.1',
    port: 0,
    tls: { cert: own.certPem, key: own.keyPem, clientCa: authority.certPem },
    log: silentLog,
  });
  t.after(() => server.close());
  const get = (path: string, { as, token }: { as?: KeyPairPem; token?: string } = {}) =>
    new Promise<{ status: number; text: string; type: string }>((resolve, reject) => {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      const credentials = as ? { cert: as.certPem, key: as.keyPem } : {};
      const to = { host: '127.0.0.1', port: server.port, path, ca: authority.certPem, agent: false as const, headers, ...credentials };
      request(to, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, type: response.headers['content-type'] ?? '' }));
      })
        .on('error', reject)
        .end();
    });
  return { get, certificate };
}

test("a component's health is open and its metrics are for those whom the API server lets read them", async (t) => {
  const { get, certificate } = await serving(t);
  assert.deepEqual(await get('/healthz'), { status: 200, text: 'ok', type: 'text/plain; charset=utf-8' });
  const messageOf = ({ status, text }: { status: number; text: string }) => [status, JSON.parse(text).reason, JSON.parse(text).message];
  const forbidden = (user: string, path: string) => [403, 'Forbidden', `forbidden: User "${user}" cannot get path "${path}"`];
  assert.deepEqual(messageOf(await get('/metrics')), forbidden('system:anonymous', '/metrics'));
  assert.deepEqual(messageOf(await get('/metrics', { token: 'made-up' })), [401, 'Unauthorized', 'Unauthorized']);
  assert.deepEqual(messageOf(await get('/metrics', { as: await certificate('stranger') })), forbidden('stranger', '/metrics'));
  const monitoring = await certificate('prometheus', 'system:monitoring');
  const { status, text, type } = await get('/metrics', { as: monitoring });
  assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  assert.match(text, /^scheduler_pending_pods\{queue="active"\} 0$/m);
  assert.deepEqual(messageOf(await get('/configz', { as: monitoring })), forbidden('prometheus', '/configz'));
  assert.equal((await get('/made-up', { as: await certificate('admin', 'system:masters') })).status, 404);
});
