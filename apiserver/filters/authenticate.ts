// Finds out who asks; whoever shows no credentials is anonymous, whoever shows wrong ones is refused.

import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import {
  type AnonymousAccess,
  type Authenticator,
  anonymousUser,
  authenticate as askChain,
  type ClientCertificate,
} from '../authn/authenticator.ts';
import type { ApiContext, Filter } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';

export interface AuthenticateOptions {
  anonymous?: AnonymousAccess | undefined;
  /** PEM of the authority of front proxies. */
  proxyCa?: string | undefined;
}

export function authenticate(chain: readonly Authenticator[], options: AuthenticateOptions = {}): Filter {
  const { anonymous = { isEnabled: true } } = options;
  const proxyCa = options.proxyCa === undefined ? undefined : new X509Certificate(options.proxyCa);
  const certificates = new WeakMap<Socket, ClientCertificate | null>();

  async function userOf(ctx: ApiContext): Promise<UserInfo> {
    const { headers, socket } = ctx.req;
    let certificate = certificates.get(socket);
    if (certificate === undefined) {
      certificate = certificateOf(socket, proxyCa) ?? null;
      certificates.set(socket, certificate);
    }
    const token = bearerTokenOf(headers.authorization) ?? takeWebSocketToken(ctx);
    const user = await askChain(chain, { token, certificate: certificate ?? undefined, headers: ctx.req.headersDistinct ?? {} });
    if (user) return user;
    const isOpen = anonymous.isEnabled && (anonymous.paths?.includes(ctx.path) ?? true);
    if (token !== undefined || !isOpen) throw new StatusError('Unauthorized', 'Unauthorized');
    return anonymousUser;
  }

  return async (ctx, next) => {
    ctx.state.user = ctx.state.exchange.localUser ?? (await userOf(ctx));
    return next();
  };
}

const bearerTokenOf = (authorization: string | undefined) => /^Bearer +(\S+)/i.exec(authorization?.trim() ?? '')?.[1];

const tokenProtocol = 'base64url.bearer.authorization.k8s.io.';

/** Browsers can give a WebSocket no header, so a token comes as one of its protocols, beside those that are meant. */
function takeWebSocketToken({ req }: ApiContext): string | undefined {
  const asked = req.headers['sec-websocket-protocol'];
  if (asked === undefined || !asked.includes(tokenProtocol)) return undefined;
  const protocols = asked.split(',').map((protocol) => protocol.trim());
  const tokens = protocols.filter((protocol) => protocol.startsWith(tokenProtocol));
  const others = protocols.filter((protocol) => !protocol.startsWith(tokenProtocol));
  // Without another protocol to agree upon, or with two tokens, it is not what was meant.
  if (tokens.length !== 1 || others.length === 0) throw new StatusError('Unauthorized', 'Unauthorized');
  req.headers['sec-websocket-protocol'] = others.join(', ');
  return Buffer.from((tokens[0] as string).slice(tokenProtocol.length), 'base64url').toString();
}

/** The client certificate, once the TLS layer has looked at its chain. */
function certificateOf(socket: Socket, proxyCa: X509Certificate | undefined): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  if (!subject) return undefined;
  return {
    commonName: asList(subject.CN)[0] ?? '',
    organizations: asList(subject.O),
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    ...(proxyCa && isBelow(socket.getPeerX509Certificate(), proxyCa) ? { isProxy: true } : {}),
    ...(socket.authorized ? {} : { problem: String(socket.authorizationError) }),
  };
}

const chainLengthMax = 10;

/** Whether the authority signed the certificate, or one that it hangs on. */
function isBelow(certificate: X509Certificate | undefined, authority: X509Certificate): boolean {
  let each = certificate;
  for (let depth = 0; each && depth < chainLengthMax; depth++) {
    if (each.verify(authority.publicKey)) return true;
    each = each.issuerCertificate;
  }
  return false;
}

/** node gives a repeated attribute as an array. */
function asList(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
