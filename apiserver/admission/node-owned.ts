// Objects beside nodes and pods that are a kubelet's own: its lease, its CSI drivers, its devices, its certificates, and the
// status of claims that it grows (admission plug-in NodeRestriction).

import { type CertificateSigningRequest, certificateSigningRequests } from '../../api/certificates.ts';
import { leases, persistentVolumeClaims } from '../../api/core.ts';
import { groupResourceOf } from '../../api/kind.ts';
import { type ResourceSlice, resourceSlices } from '../../api/resource.ts';
import { csiNodes } from '../../api/storage.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import { readCertificateRequest } from '../pki/certificate-request.ts';
import type { AdmissionAttributes } from './admission.ts';

type ProblemOf = (node: string, write: AdmissionAttributes) => string | undefined;

/** By resource; what is not here is for everybody who may write it. */
export const ownedProblems: ReadonlyMap<string, ProblemOf> = new Map<string, ProblemOf>([
  [groupResourceOf(leases), leaseProblem],
  [
    groupResourceOf(csiNodes),
    (node, write) => nameProblem(node, write, 'can only access CSINode with the same name as the requesting node'),
  ],
  [groupResourceOf(resourceSlices), sliceProblem],
  [groupResourceOf(certificateSigningRequests), certificateProblem],
  [groupResourceOf(persistentVolumeClaims), claimProblem],
]);

function nameProblem(node: string, { operation, name, object }: AdmissionAttributes, problem: string): string | undefined {
  return (operation === 'CREATE' ? object?.metadata?.name : name) === node ? undefined : problem;
}

function leaseProblem(node: string, write: AdmissionAttributes): string | undefined {
  if (write.namespace !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" system namespace';
  return nameProblem(node, write, 'can only access node lease with the same name as the requesting node');
}

/** Updates are left to the authorizer. */
function sliceProblem(node: string, { operation, object, old }: AdmissionAttributes): string | undefined {
  if (operation === 'UPDATE') return undefined;
  const slice = (operation === 'CREATE' ? object : old) as ResourceSlice;
  const verb = operation === 'CREATE' ? 'create' : 'delete';
  return slice.spec?.nodeName === node ? undefined : `can only ${verb} ResourceSlice with the same NodeName as the requesting node`;
}

const kubeletSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

/** Of what else such a request says the signer takes care. */
function certificateProblem(node: string, { operation, object }: AdmissionAttributes): string | undefined {
  if (operation !== 'CREATE') return undefined;
  const { signerName, request } = (object as CertificateSigningRequest).spec;
  if (!kubeletSigners.includes(signerName)) return undefined;
  const { commonName } = readCertificateRequest(request);
  return commonName === `system:node:${node}` ? undefined : `can only create a node CSR with CN=system:node:${node}`;
}

function claimProblem(node: string, { operation, subresource, object, old }: AdmissionAttributes): string | undefined {
  if (subresource !== 'status') return 'may only update PVC status';
  if (operation !== 'UPDATE') return `unexpected operation ${JSON.stringify(operation)}`;
  if (semanticEqual(withoutGrowth(object), withoutGrowth(old))) return undefined;
  return `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`;
}

interface WithStatus extends KubeObject {
  status?: object;
}

/** All but what a kubelet reports of a claim that it has grown. */
function withoutGrowth(claim: WithStatus = {}): object {
  const status = { ...claim.status, capacity: undefined, conditions: undefined };
  const metadata = { ...claim.metadata, resourceVersion: undefined, managedFields: undefined };
  return { ...claim, metadata, status: { ...status, allocatedResources: undefined, allocatedResourceStatuses: undefined } };
}
