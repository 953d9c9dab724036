import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readBody } from '../../client/transport.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

let fixture: ServerFixture;
before(async () => {
  fixture = await startServer();
});
after(() => fixture.close());

async function asked(path: string, headers: Record<string, string> = {}) {
  const response = await fixture.server.transport(root).request({ method: 'GET', path, headers });
  return { status: response.status, headers: response.headers, body: await readBody(response) };
}

test('the OpenAPI document is compressed for those who can read that, and not sent to who has it', async () => {
  const plain = await asked('/openapi/v2');
  assert.equal(plain.headers.vary, 'Accept-Encoding, Accept');
  const compressed = await asked('/openapi/v2', { 'accept-encoding': 'gzip' });
  assert.deepEqual([compressed.headers['content-encoding'], compressed.headers.etag], ['gzip', plain.headers.etag]);
  assert.ok(compressed.body.length < plain.body.length / 5);
  assert.deepEqual(gunzipSync(compressed.body), plain.body);
  const known = await asked('/openapi/v2', { 'accept-encoding': 'gzip', 'if-none-match': plain.headers.etag ?? '' });
  assert.deepEqual([known.status, known.body.length, known.headers['content-encoding']], [304, 0, undefined]);
  assert.equal((await asked('/openapi/v2', { accept: 'text/html' })).status, 406);
});

test('a document that is asked for by its hash may be kept for good, and who asks for an old one is led to the new', async () => {
  const { paths } = JSON.parse((await asked('/openapi/v3')).body.toString());
  const url: string = paths['apis/apps/v1'].serverRelativeURL;
  const byHash = await asked(url);
  assert.deepEqual([byHash.status, byHash.headers['cache-control'], byHash.headers.vary], [200, 'public, immutable', 'Accept']);
  const inAYear = new Date(fixture.clock.nowMs());
  inAYear.setUTCFullYear(inAYear.getUTCFullYear() + 1);
  assert.equal(byHash.headers.expires, inAYear.toUTCString());
  const old = await asked('/openapi/v3/apis/apps/v1?hash=OLD');
  assert.deepEqual([old.status, old.headers.location], [301, url]);
  const without = await asked('/openapi/v3/apis/apps/v1');
  assert.deepEqual([without.headers['cache-control'], without.headers.expires], ['no-cache, private', undefined]);
  assert.equal((await asked('/openapi/v3/apis/none/v1')).status, 404);
});

test('aggregated discovery is not sent to who has it, and plain discovery says how the server is reached', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  for (const path of ['/api', '/apis']) {
    const { headers, body } = await asked(path, { accept });
    assert.equal(JSON.parse(body.toString()).kind, 'APIGroupDiscoveryList');
    assert.deepEqual([headers.vary, headers['cache-control']], ['Accept', 'public']);
    const known = await asked(path, { accept, 'if-none-match': headers.etag ?? '' });
    assert.deepEqual([known.status, known.body.length, known.headers.etag], [304, 0, headers.etag]);
    const other = await asked(path, { accept, 'if-none-match': '"other"' });
    assert.equal(other.status, 200);
  }
  const { serverAddressByClientCIDRs } = JSON.parse((await asked('/api')).body.toString());
  assert.deepEqual(serverAddressByClientCIDRs, [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:443' }]);
});
