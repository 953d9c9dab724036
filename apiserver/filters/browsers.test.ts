import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

test('pages of the origins that are allowed may ask, others are told nothing', async (t) => {
  const { ask, close } = await startServer({ corsAllowedOrigins: ['//example\\.com(:|$)'] });
  t.after(close);
  const asked = await ask('GET', '/version', undefined, { origin: 'https://example.com:8443' });
  assert.equal(asked.status, 200);
  const told = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => name.startsWith('access-control-')));
  assert.deepEqual(told, {
    'access-control-allow-origin': 'https://example.com:8443',
    'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
    'access-control-allow-headers':
      'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
    'access-control-expose-headers': 'Date',
    'access-control-allow-credentials': 'true',
  });
  for (const origin of ['https://example.community', 'https://badexample.com.org', '']) {
    const { headers } = await ask('GET', '/version', undefined, origin ? { origin } : {});
    assert.equal(headers['access-control-allow-origin'], undefined, origin);
  }
});

test('whether a page may ask is told before it is looked at who does', async (t) => {
  const fixture = await startServer({ corsAllowedOrigins: ['^https://a$'] });
  t.after(fixture.close);
  const nobody = fixture.server.transport({ name: 'nobody', groups: [] });
  const preflight = (origin: string) => nobody.request({ method: 'OPTIONS', path: '/api/v1/pods', headers: { origin } });
  assert.equal((await preflight('https://a')).status, 204);
  assert.equal((await preflight('https://b')).status, 403);
});

test('browsers are bound to HTTPS when that is wished for', async (t) => {
  const fixture = await startServer({ strictTransportSecurity: ['max-age=31536000', 'includeSubDomains'] });
  t.after(fixture.close);
  const { headers } = await fixture.ask('GET', '/nothing');
  assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains');
});
