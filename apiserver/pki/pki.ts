// The cluster's keys and certificates in one directory: made when missing, renewed when they run out within 30 days or
// no longer carry the names asked for, otherwise reused, so that issued kubeconfigs stay good across restarts.

import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { CertificateRequest, KeyPairPem } from './certificates.ts';

export interface PkiOptions {
  directory: string;
  /** DNS names and addresses of the API server beside those every cluster has. */
  serverNames: readonly string[];
  /** The first address of the service range: `kubernetes.default`'s. */
  serviceAddress: string;
  /** Node name to its DNS names and addresses: each gets a client and a serving certificate. */
  nodes: Readonly<Record<string, readonly string[]>>;
  clock: Clock;
}

export interface Pki {
  authority: KeyPairPem;
  /** Signs what an aggregating proxy shows (requestheader). */
  frontProxyAuthority: KeyPairPem;
  apiServer: KeyPairPem;
  apiServerKubeletClient: KeyPairPem;
  frontProxyClient: KeyPairPem;
  admin: KeyPairPem;
  controllerManager: KeyPairPem;
  scheduler: KeyPairPem;
  proxy: KeyPairPem;
  kubelets: Record<string, { client: KeyPairPem; server: KeyPairPem }>;
  serviceAccountKey: { privatePem: string; publicPem: string };
}

const validDays = 365;
const daysLeftMin = 30;

/**
 * Reads or makes everything.
 * @throws when a file there cannot be read; nothing is overwritten then
 */
export async function ensurePki(options: PkiOptions): Promise<Pki> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const [authority, frontProxyAuthority, serviceAccountKey] = await Promise.all([
    ensureAuthority(options, 'ca', 'kubernetes'),
    ensureAuthority(options, 'front-proxy-ca', 'front-proxy-ca'),
    ensureSigningKey(options.directory),
  ]);
  const client = (file: string, commonName: string, organizations: readonly string[] = []) =>
    ensureCertificate(options, authority, file, { commonName, organizations, isClient: true, validDays });
  const [apiServer, apiServerKubeletClient, frontProxyClient, admin, controllerManager, scheduler, proxy] = await Promise.all([
    ensureCertificate(options, authority, 'apiserver', {
      commonName: 'kube-apiserver',
      serverNames: apiServerNames(options),
      isClient: false,
      validDays,
    }),
    client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', ['system:masters']),
    ensureCertificate(options, frontProxyAuthority, 'front-proxy-client', { commonName: 'front-proxy-client', isClient: true, validDays }),
    client('admin', 'kubernetes-admin', ['system:masters']),
    client('controller-manager', 'system:kube-controller-manager'),
    client('scheduler', 'system:kube-scheduler'),
    client('proxy', 'system:kube-proxy', ['system:node-proxier']),
  ]);
  const kubelets: Pki['kubelets'] = {};
  await Promise.all(
    Object.entries(options.nodes).map(async ([name, names]) => {
      const [nodeClient, server] = await Promise.all([
        client(`kubelet-${name}`, `system:node:${name}`, ['system:nodes']),
        ensureCertificate(options, authority, `kubelet-${name}-server`, {
          commonName: `system:node:${name}`,
          organizations: ['system:nodes'],
          serverNames: [...new Set([name, 'localhost', '127.0.0.1', ...names])],
          isClient: false,
          validDays,
        }),
      ]);
      kubelets[name] = { client: nodeClient, server };
    }),
  );
  return {
    authority,
    frontProxyAuthority,
    apiServer,
    apiServerKubeletClient,
    frontProxyClient,
    admin,
    controllerManager,
    scheduler,
    proxy,
    kubelets,
    serviceAccountKey,
  };
}

function apiServerNames({ serverNames, serviceAddress }: PkiOptions): string[] {
  return [
    ...new Set([
      'localhost',
      '127.0.0.1',
      '::1',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      serviceAddress,
      ...serverNames,
    ]),
  ];
}

async function ensureAuthority({ directory, clock }: PkiOptions, file: string, commonName: string): Promise<KeyPairPem> {
  return readPair(directory, file) ?? writePair(directory, file, await (await certificates()).createAuthority(commonName, clock));
}

async function ensureCertificate(
  { directory, clock }: PkiOptions,
  authority: KeyPairPem,
  file: string,
  request: CertificateRequest,
): Promise<KeyPairPem> {
  const present = readPair(directory, file);
  if (present && isCertificateCurrent(present.certPem, authority, request, clock)) return present;
  return writePair(directory, file, await (await certificates()).createCertificate(authority, request, clock));
}

async function ensureSigningKey(directory: string): Promise<Pki['serviceAccountKey']> {
  const privateFile = join(directory, 'sa.key');
  const publicFile = join(directory, 'sa.pub');
  if (existsSync(privateFile) && existsSync(publicFile)) {
    return { privatePem: readFileSync(privateFile, 'utf8'), publicPem: readFileSync(publicFile, 'utf8') };
  }
  const key = await (await certificates()).createSigningKey();
  writeSecret(publicFile, key.publicPem);
  writeSecret(privateFile, key.privatePem);
  return key;
}

/** Loaded only where something is made: most starts find everything in place. */
const certificates = () => import('./certificates.ts');

/** Signed by `authority`, for the same name and every server name asked for, and good for a while yet. */
function isCertificateCurrent(certPem: string, authority: KeyPairPem, request: CertificateRequest, clock: Clock): boolean {
  const certificate = new X509Certificate(certPem);
  if (Date.parse(certificate.validTo) < clock.nowMs() + daysLeftMin * 24 * 3600 * 1000) return false;
  if (!certificate.subject.split('\n').includes(`CN=${request.commonName}`)) return false;
  const names = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '').toLowerCase());
  const isCovered = (request.serverNames ?? []).every((name) => names.includes(expandedAddress(name).toLowerCase()));
  return isCovered && certificate.verify(new X509Certificate(authority.certPem).publicKey);
}

/** IPv6 as node prints it in subjectAltName: without `::`. */
function expandedAddress(name: string): string {
  if (!name.includes(':')) return name;
  const [head = '', tail = ''] = name.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = name.includes('::') ? Array<string>(8 - left.length - right.length).fill('0') : [];
  return [...left, ...zeros, ...right].map((part) => part.toUpperCase()).join(':');
}

function readPair(directory: string, file: string): KeyPairPem | undefined {
  const certFile = join(directory, `${file}.crt`);
  const keyFile = join(directory, `${file}.key`);
  if (!existsSync(certFile) || !existsSync(keyFile)) return undefined;
  return { certPem: readFileSync(certFile, 'utf8'), keyPem: readFileSync(keyFile, 'utf8') };
}

/** The key first: a certificate whose key is missing would be taken for whole. */
function writePair(directory: string, file: string, pair: KeyPairPem): KeyPairPem {
  writeSecret(join(directory, `${file}.key`), pair.keyPem);
  writeSecret(join(directory, `${file}.crt`), pair.certPem);
  return pair;
}

function writeSecret(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
