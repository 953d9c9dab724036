// Certificate signing requests: what a client wants signed, whether that is approved, and the certificate.

import { type CertificateSigningRequest, certificateSigningRequests } from '../../api/certificates.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, nameIsPathSegment } from '../../api/validation/formats.ts';
import { timestamp } from '../../base/clock.ts';
import { certificateRequestProblem } from '../pki/certificate-request.ts';
import { ageColumn, humanDuration, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { serve, type WriteContext } from './resource.ts';

type Csr = CertificateSigningRequest;
type Condition = NonNullable<NonNullable<Csr['status']>['conditions']>[number];

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const expirationSecondsMin = 600;

function signerErrors(name: string, at: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(at));
    return;
  }
  const parts = name.split('/');
  const [domain = '', path = ''] = parts;
  if (parts.length !== 2) {
    errors.push(invalid(at, name, 'must be a fully qualified domain and path of the form "example.com/signer-name"'));
    return;
  }
  for (const problem of dns1123SubdomainProblems(domain)) errors.push(invalid(at, domain, `validating label "${domain}": ${problem}`));
  if (!domain.includes('.')) errors.push(invalid(at, domain, 'should be a domain with at least two segments separated by dots'));
  if (!path) errors.push(invalid(at, path, 'validating label "": must not be empty'));
  else for (const problem of dns1123SubdomainProblems(path)) errors.push(invalid(at, path, `validating label "${path}": ${problem}`));
}

export function validateCsr({ spec }: Csr): FieldError[] {
  const errors: FieldError[] = [];
  const { request = '', expirationSeconds } = spec ?? {};
  const problem = certificateRequestProblem(request);
  if (problem) errors.push(invalid('spec.request', request, problem));
  if (!spec?.usages?.length) errors.push(required('spec.usages'));
  const seen = new Set<string>();
  eachAt(spec?.usages, 'spec.usages', (usage, at) => {
    if (!usages.includes(usage)) errors.push(notSupported(at, usage, usages));
    if (seen.has(usage)) errors.push(duplicate(at, usage));
    seen.add(usage);
  });
  signerErrors(spec?.signerName ?? '', 'spec.signerName', errors);
  if (expirationSeconds !== undefined && expirationSeconds < expirationSecondsMin)
    errors.push(invalid('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'));
  return errors;
}

const decisive = ['Approved', 'Denied', 'Failed'];
const conditionsOf = (csr: Csr) => csr.status?.conditions ?? [];
const has = (csr: Csr, type: string) => conditionsOf(csr).some((condition) => condition.type === type);

function conditionsErrors(csr: Csr, old: Csr): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'status.conditions';
  eachAt(conditionsOf(csr), at, ({ type, status }, each) => {
    if (!type) errors.push(required(`${each}.type`));
    if (!status) errors.push(required(`${each}.status`));
    else if (!['True', 'False', 'Unknown'].includes(status))
      errors.push(notSupported(`${each}.status`, status, ['False', 'True', 'Unknown']));
    else if (decisive.includes(type) && status !== 'True') errors.push(notSupported(`${each}.status`, status, ['True']));
  });
  if (has(csr, 'Approved') && has(csr, 'Denied'))
    errors.push(invalid(at, 'Denied', 'Approved and Denied conditions are mutually exclusive'));
  for (const type of decisive)
    if (has(old, type) && !has(csr, type)) errors.push(forbidden(at, `updates may not remove a condition of type "${type}"`));
  return errors;
}

/** New conditions, and those whose status has changed, carry the time of that. */
function stampConditions(csr: Csr, old: Csr, { clock }: WriteContext): void {
  const now = timestamp(clock);
  for (const condition of conditionsOf(csr)) {
    const before = conditionsOf(old).find(({ type }) => type === condition.type);
    condition.lastUpdateTime ??= now;
    if (before?.status === condition.status && before?.lastTransitionTime) condition.lastTransitionTime = before.lastTransitionTime;
    else condition.lastTransitionTime ??= now;
  }
}

/** Whoever signs may not decide: of the decisions, those of before stay. */
function keepDecisions(csr: Csr, old: Csr): void {
  const isDecision = ({ type }: Condition) => type === 'Approved' || type === 'Denied';
  const others = conditionsOf(csr).filter((condition) => !isDecision(condition));
  const conditions = [...conditionsOf(old).filter(isDecision), ...others];
  csr.status = { ...csr.status, ...(conditions.length ? { conditions } : {}) };
}

function stateText(csr: Csr): string {
  const parts = [has(csr, 'Denied') ? 'Denied' : has(csr, 'Approved') ? 'Approved' : 'Pending'];
  if (has(csr, 'Failed')) parts.push('Failed');
  if (csr.status?.certificate) parts.push('Issued');
  return parts.join(',');
}

export const certificateSigningRequestResource = serve(certificateSigningRequests, {
  fields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  validateName: (name) => [...nameIsPathSegment(name, false)],
  beforeCreate(csr, { user }) {
    // Who asks is not the client's to say.
    const { username: _, uid: _uid, groups: _groups, extra: _extra, ...asked } = csr.spec ?? { request: '', signerName: '' };
    csr.spec = {
      ...asked,
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length ? { groups: [...user.groups] } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
    };
    csr.status = {};
  },
  beforeUpdate(csr, old) {
    keep(csr, old, 'spec');
    keep(csr, old, 'status');
  },
  validate: validateCsr,
  validateUpdate: () => [],
  status: {
    resets: ['spec', 'status.conditions'],
    beforeUpdate(csr, old, context) {
      keep(csr, old, 'spec');
      keepDecisions(csr, old);
      stampConditions(csr, old, context);
    },
    validateUpdate(csr, old) {
      const errors = conditionsErrors(csr, old);
      const before = old.status?.certificate;
      if (before && csr.status?.certificate !== before)
        errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
      return errors;
    },
  },
  subresources: {
    approval: {
      kind: 'CertificateSigningRequest',
      verbs: ['get', 'patch', 'update'],
      handler: 'csr-approval',
      resets: ['spec', 'status.certificate'],
      beforeUpdate(csr, old, context) {
        keep(csr, old, 'spec');
        const { certificate: _, ...status } = csr.status ?? {};
        const before = old.status?.certificate;
        csr.status = { ...status, ...(before ? { certificate: before } : {}) };
        stampConditions(csr, old, context);
      },
      validateUpdate: conditionsErrors,
    },
  },
  columns: [
    nameColumn(),
    ageColumn(),
    text('SignerName', 'Who is asked to sign.', ({ spec }) => spec?.signerName ?? '<none>'),
    text('Requestor', 'Who asks.', ({ spec }) => spec?.username ?? ''),
    text('RequestedDuration', 'How long the certificate should be valid.', ({ spec }) =>
      spec?.expirationSeconds ? humanDuration(spec.expirationSeconds * 1000) : '<none>',
    ),
    text('Condition', 'How far it has come.', stateText),
  ],
});
