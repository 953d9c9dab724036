import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { HealthChecks } from './health-check.ts';

test('a health check node port says 200 while there are local endpoints, 503 when there are none, nothing when it is gone', async (t) => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));

  const checks = new HealthChecks(silentLog);
  t.after(() => checks.close());
  const url = `http://127.0.0.1:${port}/`;
  const check = { namespace: 'default', name: 'web', port };
  checks.apply([{ ...check, localEndpoints: 2 }]);
  const healthy = await fetch(url);
  assert.equal(healthy.status, 200);
  assert.deepEqual(await healthy.json(), { service: { namespace: 'default', name: 'web' }, localEndpoints: 2, serviceProxyHealthy: true });
  checks.apply([{ ...check, localEndpoints: 0 }]);
  assert.equal((await fetch(url)).status, 503);
  checks.apply([]);
  await assert.rejects(fetch(url));
});
