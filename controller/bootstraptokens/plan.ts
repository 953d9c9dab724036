// Bootstrap tokens: until when one is good, and how the cluster's public facts are signed with it. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/.

import { createHmac } from 'node:crypto';
import type { Secret } from '../../api/core.ts';

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token';
export const signaturePrefix = 'jws-kubeconfig-';

const textOf = (secret: Secret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();

/** When the token ends, in milliseconds since the epoch: never without `expiration`, long ago with one that is no time. */
export function expirationMsOf(secret: Secret): number {
  const text = textOf(secret, 'expiration');
  if (text === '') return Number.POSITIVE_INFINITY;
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? 0 : ms;
}

/** The id and secret of a token that signs; undefined: this one does not. */
export function signingToken(secret: Secret, nowMs: number): { id: string; key: string } | undefined {
  if (secret.type !== bootstrapTokenType || secret.metadata?.deletionTimestamp) return undefined;
  const id = textOf(secret, 'token-id');
  const key = textOf(secret, 'token-secret');
  const isWhole = id !== '' && key !== '' && secret.metadata?.name === `bootstrap-token-${id}`;
  const isForSigning = textOf(secret, 'usage-bootstrap-signing') === 'true';
  return isWhole && isForSigning && expirationMsOf(secret) > nowMs ? { id, key } : undefined;
}

/** A JWS (RFC 7515, HS256) whose payload is left out: the reader has it. */
export function detachedSignature(payload: string, { id, key }: { id: string; key: string }): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  const head = encode(JSON.stringify({ alg: 'HS256', kid: id }));
  return `${head}..${createHmac('sha256', key)
    .update(`${head}.${encode(payload)}`)
    .digest('base64url')}`;
}

/** What `cluster-info` should hold: its kubeconfig, and one signature of it for each token. */
export function planSignatures(
  data: Readonly<Record<string, string>>,
  tokens: readonly { id: string; key: string }[],
): Record<string, string> {
  const kept = Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix));
  const { kubeconfig } = data;
  const signed = kubeconfig === undefined ? [] : tokens.map((token) => [signaturePrefix + token.id, detachedSignature(kubeconfig, token)]);
  return Object.fromEntries([...kept, ...signed]);
}
