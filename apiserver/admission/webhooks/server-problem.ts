// What an answer that is no success says: the server's own Status, or what its code means to Kubernetes' clients
// (k8s.io/apimachinery/pkg/api/errors NewGenericServerResponse).

import { WebhookCallError } from './webhook-call-error.ts';

const meanings: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};
/** Those say what the server says. */
const speaking = new Set([403, 406, 415]);
const bodyCharactersMax = 2048;

export function serverProblem(code: number, body: string, contentType = ''): WebhookCallError {
  return new WebhookCallError(statusMessage(body) ?? messageOf(code, saidBy(body, contentType)), code);
}

function messageOf(code: number, said: string): string {
  if (code === 406 && said === 'unknown') return 'the server was unable to respond with a content type that the client supports';
  if (speaking.has(code)) return said;
  const meaning = meanings[code];
  if (meaning) return meaning;
  if (code >= 500) return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}

/** Pages are not for error messages. */
function saidBy(body: string, contentType: string): string {
  const isText = contentType.startsWith('text/') || contentType === '' || contentType.includes('json');
  const said = isText ? body.trim().slice(0, bodyCharactersMax) : '';
  return said || 'unknown';
}

function statusMessage(body: string): string | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const { kind, status, message } = JSON.parse(body) as { kind?: unknown; status?: unknown; message?: unknown };
    return kind === 'Status' && status !== 'Success' && typeof message === 'string' && message ? message : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
