// Credentials for a registry from a pod's image pull secrets, chosen by the rules of Kubernetes' credential provider:
// globs in host names, path prefixes, the longest match first.

import type { Secret } from '../../api/core.ts';
import { parseImageName } from './image-name.ts';

export interface RegistryCredentials {
  username: string;
  password: string;
}

interface DockerAuth {
  username?: string;
  password?: string;
  auth?: string;
}

/** Every set of credentials that may open the registry of `image`, the most specific first. */
export function credentialsFor(image: string, pullSecrets: readonly Secret[]): RegistryCredentials[] {
  const { registry, repository } = parseImageName(image);
  const wanted = `${registry === 'docker.io' ? 'index.docker.io' : registry}/${repository}`;
  const entries = pullSecrets.flatMap(authsOf).map(([key, auth]) => ({ place: placeOf(key), auth }));
  return entries
    .filter(({ place }) => placeMatches(place, wanted) || (registry === 'docker.io' && placeMatches(place, `docker.io/${repository}`)))
    .sort((a, b) => (a.place < b.place ? 1 : a.place > b.place ? -1 : 0))
    .map(({ auth }) => auth);
}

function authsOf(secret: Secret): [string, RegistryCredentials][] {
  const modern = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  let auths: Record<string, DockerAuth> = {};
  if (secret.type === 'kubernetes.io/dockerconfigjson' && modern) {
    auths = (parse(modern) as { auths?: Record<string, DockerAuth> } | undefined)?.auths ?? {};
  } else if (secret.type === 'kubernetes.io/dockercfg' && legacy) {
    auths = (parse(legacy) as Record<string, DockerAuth> | undefined) ?? {};
  }
  return Object.entries(auths).flatMap(([key, auth]) => {
    const credentials = decodeAuth(auth);
    return credentials ? [[key, credentials] as [string, RegistryCredentials]] : [];
  });
}

function parse(base64: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return value && typeof value === 'object' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function decodeAuth(auth: DockerAuth): RegistryCredentials | undefined {
  if (auth.username !== undefined && auth.password !== undefined) return { username: auth.username, password: auth.password };
  if (!auth.auth) return undefined;
  const text = Buffer.from(auth.auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `https://index.docker.io/v1/` and the like, without scheme and version. */
function placeOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '');
}

/** Host names match label by label with globs, ports exactly, paths by prefix. */
function placeMatches(place: string, wanted: string): boolean {
  const [placeHost = '', ...placePath] = place.split('/');
  const [wantedHost = '', ...wantedPath] = wanted.split('/');
  const [placeName = '', placePort = ''] = splitPort(placeHost);
  const [wantedName = '', wantedPort = ''] = splitPort(wantedHost);
  if (placePort !== wantedPort) return false;
  const placeLabels = placeName.split('.');
  const wantedLabels = wantedName.split('.');
  if (placeLabels.length !== wantedLabels.length) return false;
  if (!placeLabels.every((label, index) => globMatches(label, wantedLabels[index] as string))) return false;
  return `${wantedPath.join('/')}`.startsWith(placePath.join('/'));
}

function splitPort(host: string): string[] {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return [match?.[1] ?? host, match?.[2] ?? ''];
}

function globMatches(glob: string, text: string): boolean {
  if (!/[*?]/.test(glob)) return glob === text;
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
