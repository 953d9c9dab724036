// Users that a front proxy has authenticated and names in headers, and what aggregated API servers must know to believe
// this server in turn (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy).

import { type ConfigMap, configMaps } from '../../api/core.ts';
import { StatusError } from '../../api/status.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { apiServerUser } from '../registry/bootstrap.ts';
import type { Authenticator, Credentials } from './authenticator.ts';

export interface RequestHeaderOptions {
  /** PEM of the authority that signs the proxies' certificates, and no client's. */
  ca: string;
  /** The common names that they may have; empty: any. */
  allowedNames: readonly string[];
}

const userHeader = 'X-Remote-User';
const uidHeader = 'X-Remote-Uid';
const groupHeader = 'X-Remote-Group';
const extraPrefix = 'X-Remote-Extra-';

/** Believes the headers of whoever shows a proxy's certificate. @throws StatusError Unauthorized for a proxy of another name */
export function requestHeaderAuthenticator({ allowedNames }: RequestHeaderOptions): Authenticator {
  return ({ certificate, headers }) => {
    const [name] = valuesOf(headers, userHeader);
    if (!certificate?.isProxy || certificate.problem !== undefined || !name) return undefined;
    if (allowedNames.length > 0 && !allowedNames.includes(certificate.commonName)) {
      const cause = new Error(`x509: subject with cn=${certificate.commonName} is not in the allowed list`);
      throw new StatusError('Unauthorized', 'Unauthorized', { cause });
    }
    const [uid] = valuesOf(headers, uidHeader);
    const extra = extraOf(headers);
    return {
      name,
      groups: valuesOf(headers, groupHeader),
      ...(uid ? { uid } : {}),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    };
  };
}

function valuesOf(headers: Credentials['headers'], name: string): string[] {
  return (headers[name.toLowerCase()] ?? []).map((text) => text.trim()).filter(Boolean);
}

function extraOf(headers: Credentials['headers']): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  const prefix = extraPrefix.toLowerCase();
  for (const name of Object.keys(headers))
    if (name.startsWith(prefix)) extra[unescapedExtraKey(name.slice(prefix.length))] = valuesOf(headers, name);
  return extra;
}

/** Keys of extra may hold characters that headers may not, percent-encoded; one that is encoded wrongly is taken as it stands. */
export function unescapedExtraKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}

const place = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

/** Keeps the config map from which extension API servers learn whom to believe. */
export async function publishAuthentication(
  server: ServerParts,
  clientCa: string,
  { ca, allowedNames }: RequestHeaderOptions,
): Promise<void> {
  const data = {
    'client-ca-file': clientCa,
    'requestheader-allowed-names': JSON.stringify(allowedNames),
    'requestheader-client-ca-file': ca,
    'requestheader-extra-headers-prefix': JSON.stringify([extraPrefix]),
    'requestheader-group-headers': JSON.stringify([groupHeader]),
    'requestheader-uid-headers': JSON.stringify([uidHeader]),
    'requestheader-username-headers': JSON.stringify([userHeader]),
  };
  const request = { namespace: place.namespace, user: apiServerUser, dryRun: false, warn: () => {} };
  const produce = (old: ConfigMap | undefined): ConfigMap => ({
    ...old,
    metadata: { ...place, ...old?.metadata },
    data: { ...old?.data, ...data },
  });
  await server.resources.ofKind(configMaps)?.registry.update(place.name, request, produce, { createMissing: true });
}
