// What a certificate request is, and what becomes of it: which are a kubelet's, which may be signed by whom, and when one
// has been there long enough. Follows https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/.

import type { CertificateSigningRequest } from '../../api/certificates.ts';

/** What a PKCS#10 request asks to have certified. */
export interface RequestedCertificate {
  commonName: string;
  organizations: readonly string[];
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
  emailAddresses: readonly string[];
  uris: readonly string[];
}

/** Who can read requests and sign them. */
export interface CertificateAuthority {
  /** @param request `spec.request`. @throws Error when it is none */
  read(request: string): RequestedCertificate;
  /** The certificate in PEM. `notAfterMs` of the authority's own bounds it. */
  sign(request: string, options: { usages: readonly string[]; validSeconds: number }): Promise<string>;
  /** When a certificate in PEM ends, in milliseconds since the epoch. */
  notAfterMs(certificate: string): number;
}

export const apiServerClient = 'kubernetes.io/kube-apiserver-client';
export const kubeletClient = 'kubernetes.io/kube-apiserver-client-kubelet';
export const kubeletServing = 'kubernetes.io/kubelet-serving';
export const legacyUnknown = 'kubernetes.io/legacy-unknown';

const nodePrefix = 'system:node:';
const same = (values: readonly string[], wanted: readonly string[]) =>
  new Set(values).size === wanted.length && wanted.every((value) => values.includes(value));

/** Why a request cannot be signed as a kubelet's client certificate; undefined: it can. */
export function kubeletClientProblem(request: RequestedCertificate, usages: readonly string[]): string | undefined {
  const { organizations, dnsNames, emailAddresses, ipAddresses, uris, commonName } = request;
  if (!same(organizations, ['system:nodes']) || organizations.length !== 1) return 'subject organization is not system:nodes';
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!commonName.startsWith(nodePrefix)) return 'subject common name does not begin with system:node:';
  return usagesProblem(usages, 'client auth');
}

function kubeletServingProblem(request: RequestedCertificate, usages: readonly string[]): string | undefined {
  const { organizations, dnsNames, emailAddresses, ipAddresses, uris, commonName } = request;
  if (!same(organizations, ['system:nodes']) || organizations.length !== 1) return 'subject organization is not system:nodes';
  if (dnsNames.length === 0 && ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  const problem = usagesProblem(usages, 'server auth');
  if (problem) return problem;
  return commonName.startsWith(nodePrefix) ? undefined : 'subject common name does not begin with system:node:';
}

/** Keys other than RSA cannot encipher, so that this usage may be left out. */
function usagesProblem(usages: readonly string[], auth: 'client auth' | 'server auth'): string | undefined {
  if (same(usages, ['digital signature', 'key encipherment', auth]) || same(usages, ['digital signature', auth])) return undefined;
  const wanted = ['digital signature', 'key encipherment', auth].sort();
  return `usages did not match [${wanted.join(' ')}]`;
}

function apiServerClientProblem(usages: readonly string[]): string | undefined {
  const wrong = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

const has = (csr: CertificateSigningRequest, type: string) =>
  csr.status?.conditions?.some((condition) => condition.type === type && (condition.status || 'True') === 'True') ?? false;

export const isApproved = (csr: CertificateSigningRequest) => has(csr, 'Approved') && !has(csr, 'Denied');
export const isDecided = (csr: CertificateSigningRequest) => has(csr, 'Approved') || has(csr, 'Denied');

export type SigningPlan = 'none' | 'sign' | { failure: string };

/** What a signer of the cluster's own does about a request. */
export function planSigning(csr: CertificateSigningRequest, read: (request: string) => RequestedCertificate): SigningPlan {
  if (!isApproved(csr) || has(csr, 'Failed') || csr.status?.certificate) return 'none';
  const { signerName, request, usages = [] } = csr.spec;
  const problemOf: Record<string, () => string | undefined> = {
    [apiServerClient]: () => apiServerClientProblem(usages),
    [kubeletClient]: () => kubeletClientProblem(read(request), usages),
    [kubeletServing]: () => kubeletServingProblem(read(request), usages),
    [legacyUnknown]: () => undefined,
  };
  const check = problemOf[signerName];
  if (!check) return 'none';
  const failure = check();
  return failure === undefined ? 'sign' : { failure };
}

const validSecondsMax = 365 * 24 * 3600;
const validSecondsMin = 600;

/** A year, or less when less was asked for. */
export function validSecondsOf({ spec }: CertificateSigningRequest): number {
  return Math.min(validSecondsMax, Math.max(validSecondsMin, spec.expirationSeconds ?? validSecondsMax));
}

const hourMs = 3600_000;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/** When a request has been there long enough, in milliseconds since the epoch. */
export function endMsOf(csr: CertificateSigningRequest, notAfterMs: (certificate: string) => number): number {
  const ends: number[] = [];
  const { conditions = [], certificate } = csr.status ?? {};
  for (const { type, lastUpdateTime } of conditions) {
    const isOver = type === 'Denied' || type === 'Failed' || (type === 'Approved' && certificate);
    if (isOver && lastUpdateTime) ends.push(Date.parse(lastUpdateTime) + decidedMs);
  }
  if (conditions.length === 0) ends.push(Date.parse(csr.metadata?.creationTimestamp ?? '') + pendingMs);
  else if (has(csr, 'Approved') && !certificate && !has(csr, 'Failed')) {
    const approved = conditions.find(({ type }) => type === 'Approved')?.lastUpdateTime;
    if (approved) ends.push(Date.parse(approved) + pendingMs);
  }
  if (certificate && has(csr, 'Approved')) ends.push(notAfterMs(certificate));
  return Math.min(...ends.filter((end) => !Number.isNaN(end)));
}
