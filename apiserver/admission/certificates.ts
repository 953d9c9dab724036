// Who may approve and sign certificate requests for a signer, and that none asks the API server's own for its masters
// (admission plug-ins CertificateApproval, CertificateSigning, CertificateSubjectRestriction).

import { isDeepStrictEqual } from 'node:util';
import { type CertificateSigningRequest, certificateSigningRequests } from '../../api/certificates.ts';
import { forbiddenError } from '../../api/status.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { readCertificateRequest } from '../pki/certificate-request.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isWriteOf } from './admission.ts';

const apiServerClient = 'kubernetes.io/kube-apiserver-client';
const isSubresource =
  (wanted: string) =>
  ({ kind, subresource }: AdmissionAttributes) =>
    kind.plural === certificateSigningRequests.plural && kind.group === certificateSigningRequests.group && subresource === wanted;

export const certificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateApproval',
  operations: ['UPDATE'],
  handles: isSubresource('approval'),
  validate: (write) => checkSigner(write, 'approve', authorizer),
});

export const certificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateSigning',
  operations: ['UPDATE'],
  handles: isSubresource('status'),
  async validate(write) {
    const [{ status }, { status: before }] = [write.object, write.old] as [CertificateSigningRequest, CertificateSigningRequest];
    const hasChanged =
      status?.certificate !== before?.certificate || !isDeepStrictEqual(status?.conditions ?? [], before?.conditions ?? []);
    if (hasChanged) await checkSigner(write, 'sign', authorizer);
  },
});

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  operations: ['CREATE'],
  handles: isWriteOf(certificateSigningRequests),
  validate({ kind, name, object }) {
    const { spec } = object as CertificateSigningRequest;
    if (spec.signerName !== apiServerClient) return;
    const { organizations } = readCertificateRequest(spec.request);
    if (organizations.includes('system:masters'))
      throw forbiddenError(kind, name, `use of ${apiServerClient} signer with system:masters group is not allowed`);
  },
};

/** By the signer's name, or by `DOMAIN/*`. */
async function checkSigner(write: AdmissionAttributes, verb: 'approve' | 'sign', authorizer: Authorizer): Promise<void> {
  const { signerName } = (write.old as CertificateSigningRequest).spec;
  const domain = signerName.split('/')[0];
  for (const name of [signerName, `${domain}/*`]) {
    const asked = { user: write.user, verb, group: certificateSigningRequests.group, version: '*', resource: 'signers', name };
    const { decision } = await authorizer({ ...asked, isResourceRequest: true, subresource: '', namespace: '', path: '' });
    if (decision === 'allow') return;
  }
  throw forbiddenError(write.kind, write.name, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}
