// Finds out who asks; whoever shows no credentials is anonymous and may ask for health and version only, whoever shows
// wrong ones nothing.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import { type Authenticator, anonymousUser, authenticate as askChain, type Credentials } from '../authn/authenticator.ts';
import type { ApiContext, Filter } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';

export function authenticate(chain: readonly Authenticator[]): Filter {
  const certificates = new WeakMap<Socket, Credentials['certificate'] | null>();

  async function userOf(ctx: ApiContext): Promise<UserInfo> {
    const { headers, socket } = ctx.req;
    const { authorization } = headers;
    let certificate = certificates.get(socket);
    if (certificate === undefined) {
      certificate = certificateOf(socket) ?? null;
      certificates.set(socket, certificate);
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const user = await askChain(chain, { token, certificate: certificate ?? undefined, headers });
    if (user) return user;
    if (authorization !== undefined) throw new StatusError('Unauthorized', 'Unauthorized');
    return anonymousUser;
  }

  return async (ctx, next) => {
    ctx.state.user = ctx.state.exchange.localUser ?? (await userOf(ctx));
    return next();
  };
}

/** The subject of the client certificate, once the TLS layer has verified its chain. */
function certificateOf(socket: Socket): Credentials['certificate'] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const commonName = asList(subject?.CN)[0];
  return commonName === undefined ? undefined : { commonName, organizations: asList(subject.O) };
}

/** node gives a repeated attribute as an array. */
function asList(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
