// Certificate signing requests: kubelets' are approved, what is approved is signed when it asks one of the cluster's own
// signers, and old ones are cleared away.

import { subjectAccessReviews } from '../../api/authorization.ts';
import { type CertificateSigningRequest, certificateSigningRequests } from '../../api/certificates.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { type Controller, controller, type ReconcileContext, settled } from '../../client/controller.ts';
import {
  type CertificateAuthority,
  endMsOf,
  isDecided,
  kubeletClient,
  kubeletClientProblem,
  planSigning,
  type RequestedCertificate,
  validSecondsOf,
} from './plan.ts';

type Csr = CertificateSigningRequest;
type Condition = NonNullable<NonNullable<Csr['status']>['conditions']>[number];

export function certificateControllers(authority: CertificateAuthority): Controller[] {
  return [approving(authority), signing(authority), cleaning(authority)];
}

/** Approves kubelets' client certificates, for those who may ask for them. */
function approving({ read }: CertificateAuthority): Controller {
  return controller({
    name: 'csrapproving',
    queueName: 'certificate',
    of: certificateSigningRequests,
    async reconcile(csr, { api }) {
      if (csr.status?.certificate || isDecided(csr) || csr.spec.signerName !== kubeletClient) return settled;
      const request = read(csr.spec.request);
      for (const [subresource, message] of recognized(csr, request)) {
        if (!(await mayCreate(csr, subresource, api))) continue;
        const approval = { type: 'Approved', status: 'True', reason: 'AutoApproved', message };
        await api.update(certificateSigningRequests, withCondition(csr, approval), { subresource: 'approval' });
        break;
      }
      return settled;
    },
  });
}

function recognized(csr: Csr, request: RequestedCertificate): [subresource: string, message: string][] {
  if (kubeletClientProblem(request, csr.spec.usages ?? []) !== undefined) return [];
  const node: [string, string] = ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.'];
  if (csr.spec.username !== request.commonName) return [node];
  return [['selfnodeclient', 'Auto approving self kubelet client certificate after SubjectAccessReview.'], node];
}

async function mayCreate({ spec }: Csr, subresource: string, api: ReconcileContext['api']): Promise<boolean> {
  const { username, uid, groups, extra } = spec;
  const { group, plural } = certificateSigningRequests;
  const review = await api.create(subjectAccessReviews, {
    spec: {
      ...(username ? { user: username } : {}),
      ...(uid ? { uid } : {}),
      ...(groups ? { groups } : {}),
      ...(extra ? { extra } : {}),
      resourceAttributes: { group, resource: plural, verb: 'create', subresource },
    },
  });
  return review.status?.allowed ?? false;
}

/** Signs what is approved, or says why it cannot. */
function signing(authority: CertificateAuthority): Controller {
  return controller({
    name: 'csrsigning',
    queueName: 'certificate',
    of: certificateSigningRequests,
    async reconcile(csr, { api, clock }) {
      const plan = planSigning(csr, authority.read);
      if (plan === 'none') return settled;
      if (plan === 'sign') {
        const { request, usages = [] } = csr.spec;
        const pem = await authority.sign(request, { usages, validSeconds: validSecondsOf(csr) });
        const certificate = Buffer.from(pem).toString('base64');
        await api.updateStatus(certificateSigningRequests, { ...csr, status: { ...csr.status, certificate } });
        return settled;
      }
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: plan.failure };
      await api.updateStatus(certificateSigningRequests, withCondition(csr, { ...failed, lastUpdateTime: timestamp(clock) }));
      return settled;
    },
  });
}

function cleaning({ notAfterMs }: CertificateAuthority): Controller {
  return controller({
    name: 'csrcleaner',
    of: certificateSigningRequests,
    async reconcile(csr, { api, clock }) {
      const leftMs = endMsOf(csr, notAfterMs) - clock.nowMs();
      if (leftMs > 0) return Number.isFinite(leftMs) ? { afterSeconds: leftMs / 1000 } : settled;
      try {
        await api.delete(certificateSigningRequests, { name: csr.metadata?.name ?? '' });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
      return settled;
    },
  });
}

const withCondition = (csr: Csr, condition: Condition): Csr => ({
  ...csr,
  status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] },
});
