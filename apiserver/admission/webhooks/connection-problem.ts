// Why a server could not be spoken to, in the words of Go's net, crypto/tls and crypto/x509: Kubernetes passes them on to whoever
// made the request, and that is where they look for a webhook's certificate that is wrong.

import { StatusError } from '../../../api/status.ts';

const untrusted = 'x509: certificate signed by unknown authority';

/** By Node's own code. */
const certificateProblems: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
};

const dialProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

interface SystemError {
  code?: string;
  address?: string;
  port?: number;
  host?: string;
  hostname?: string;
  syscall?: string;
  cert?: { subjectaltname?: string };
}

/** `hostname` is the one that was asked for. */
export function connectionProblem(error: unknown, hostname: string): string {
  if (!(error instanceof Error)) return String(error);
  // A service that leads nowhere.
  if (error instanceof StatusError) return error.message;
  // A name with several addresses fails with what happened at each.
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code = '', address, port, syscall, cert } = first as SystemError;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `tls: failed to verify certificate: ${nameProblem(cert?.subjectaltname ?? '', hostname)}`;
  const ofCertificate = certificateProblems[code];
  if (ofCertificate) return `tls: failed to verify certificate: ${ofCertificate}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`;
  const ofDialing = dialProblems[code];
  if (ofDialing && syscall === 'connect')
    return `dial tcp ${address?.includes(':') ? `[${address}]` : address}:${port}: connect: ${ofDialing}`;
  if (code === 'ECONNRESET') return first.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
  if (code === 'EPROTO' && first.message.includes('wrong version number')) return 'http: server gave HTTP response to HTTPS client';
  return first.message;
}

function nameProblem(alternatives: string, hostname: string): string {
  const all = alternatives.split(', ').filter(Boolean);
  const namesOf = (prefix: string) => all.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length));
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
  const names = namesOf(isAddress ? 'IP Address:' : 'DNS:');
  const host = hostname.replace(/^\[|\]$/g, '');
  if (names.length) return `x509: certificate is valid for ${names.join(', ')}, not ${host}`;
  if (isAddress) return `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  return `x509: certificate is not valid for any names, but wanted to match ${host}`;
}
