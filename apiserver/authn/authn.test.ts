import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authenticate, type Credentials, certificateAuthenticator } from './authenticator.ts';
import { parseTokenFile, staticTokenAuthenticator } from './static-tokens.ts';

const none: Credentials = { token: undefined, certificate: undefined, headers: {} };
const tokens = staticTokenAuthenticator(parseTokenFile('# people\nabc,ann,1,"dev,ops"\nxyz,bob,,\n'));

test('a certificate gives its common name as user and its organizations as groups', async () => {
  const user = await authenticate([certificateAuthenticator], {
    ...none,
    certificate: { commonName: 'ann', organizations: ['system:masters'] },
  });
  assert.deepEqual(user, { name: 'ann', groups: ['system:masters', 'system:authenticated'] });
});

test('a token file names user, uid and quoted groups', async () => {
  assert.deepEqual(await authenticate([tokens], { ...none, token: 'abc' }), {
    name: 'ann',
    uid: '1',
    groups: ['dev', 'ops', 'system:authenticated'],
  });
  assert.deepEqual(await authenticate([tokens], { ...none, token: 'xyz' }), { name: 'bob', groups: ['system:authenticated'] });
});

test('who shows nothing, or an unknown token, is nobody', async () => {
  assert.equal(await authenticate([certificateAuthenticator, tokens], none), undefined);
  assert.equal(await authenticate([tokens], { ...none, token: 'ab' }), undefined);
});

test('a wrong line of a token file is named', () => {
  assert.throws(() => parseTokenFile('a,b,c\nonly\n'), /line 2/);
  assert.throws(() => parseTokenFile('a,b,c\na,d,e\n'), /line 2.*another user/);
});
