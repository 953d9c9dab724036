// Speaking to an aggregated API server in the name of a user, whom the front proxy's certificate vouches for
// (https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/).

import { request } from 'node:https';
import type { ApiService } from '../../api/apiregistration.ts';
import { dialErrorText } from '../handlers/dial-error.ts';
import type { Target } from '../handlers/proxy-request.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type Address, hostPort, serverNameOf } from '../service-resolver.ts';
import type { RemoteAnswer } from './remote-openapi.ts';

/** PEM of what aggregated servers know this one by. */
export interface FrontProxy {
  cert: string;
  key: string;
}

const timeoutMs = 5_000;
/** An OpenAPI document of a server with many kinds has some megabytes. */
const bytesMax = 16 << 20;

/** The headers that tell an aggregated server who asks. */
export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': name, 'x-remote-group': [...groups] };
  if (uid) headers['x-remote-uid'] = uid;
  for (const [key, values] of Object.entries(extra)) headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values];
  return headers;
}

export function targetOf({ spec }: ApiService, address: Address, path: string, frontProxy: FrontProxy | undefined): Target {
  const { service, caBundle, insecureSkipTLSVerify } = spec ?? {};
  const servername = serverNameOf({ namespace: service?.namespace ?? '', name: service?.name ?? '' });
  const tls: Target['tls'] = { ...frontProxy, servername };
  if (caBundle) tls.ca = Buffer.from(caBundle, 'base64').toString();
  if (insecureSkipTLSVerify) tls.rejectUnauthorized = false;
  return { isTls: true, ...address, path, tls };
}

/** Who looks after API services, and who reads what they publish. */
export const aggregatorUser: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] };
export const documentReader: UserInfo = { name: 'system:aggregator', groups: [] };

/** What a GET of the target answers. @throws Error when there is no answer */
export async function ask(target: Target, { user, etag }: { user: UserInfo; etag?: string | undefined }): Promise<RemoteAnswer> {
  const { host, port, path, tls } = target;
  const headers = { accept: 'application/json', ...identityHeaders(user), ...(etag ? { 'if-none-match': etag } : {}) };
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, headers, agent: false, signal: AbortSignal.timeout(timeoutMs), ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > bytesMax) asked.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, body: jsonOf(Buffer.concat(chunks)) });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** What a GET of the path answers. @throws Error that says what is missing */
export async function askFor(target: Target): Promise<unknown> {
  const url = `https://${hostPort(target)}${target.path}`;
  const missing = (why: string) => new Error(`failing or missing response from ${url}: ${why}`);
  let answer: RemoteAnswer;
  try {
    answer = await ask(target, { user: aggregatorUser });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLate = error.name === 'TimeoutError' || error.name === 'AbortError';
    const why = isLate ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : dialErrorText(error, target);
    throw missing(`Get "${url}": ${why}`);
  }
  const { status, body } = answer;
  if (status < 200 || status >= 300) throw missing(`bad status from ${url}: ${status}`);
  return body;
}

/** What is no JSON is an answer all the same: the server is there. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
