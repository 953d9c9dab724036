// Every controller, and how they are started together.

import { groupResourceOf } from '../api/kind.ts';
import { backoffMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Controller, ControllerRun } from '../client/controller.ts';
import { discover } from '../client/discovery.ts';
import { bootstrapSigner, tokenCleaner } from './bootstraptokens/controller.ts';
import { certificateControllers } from './certificates/controller.ts';
import type { CertificateAuthority } from './certificates/plan.ts';
import { clusterRoleAggregationController } from './clusterroleaggregation/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { garbageCollector } from './garbagecollector/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeLifecycleController } from './nodelifecycle/controller.ts';
import { podGarbageCollector } from './podgc/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { replicationController } from './replicationcontroller/controller.ts';
import { resourceQuotaController } from './resourcequota/controller.ts';
import { rootCaPublisher } from './rootca/controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';
import { type IssueToken, serviceAccountTokenController } from './serviceaccounttoken/controller.ts';
import { taintEvictionController } from './tainteviction/controller.ts';
import { type CheckPolicyTypes, policyStatusController } from './validatingadmissionpolicystatus/controller.ts';
import { claimProtection, volumeProtection } from './volumeprotection/controller.ts';

export interface StartControllersOptions extends ControllerRun {
  /** Names of the controllers to run; all when absent. */
  only?: readonly string[];
  /** PEM of the cluster's certificate authority, to be published in every namespace; not done when absent. */
  rootCa?: string;
  /** Signs what is approved; certificate requests are left alone when absent. */
  authority?: CertificateAuthority;
  /** Signs service accounts' tokens into secrets that are made for them; those stay empty when it or `rootCa` is absent. */
  issueToken?: IssueToken;
  /** Checks validating admission policies against the types that are served; their status stays empty when absent. */
  checkPolicyTypes?: CheckPolicyTypes;
}

type Givens = Pick<StartControllersOptions, 'rootCa' | 'authority' | 'issueToken' | 'checkPolicyTypes'>;

export function allControllers({ rootCa, authority, issueToken, checkPolicyTypes }: Givens = {}): Controller[] {
  return [
    replicationController,
    endpointsController,
    endpointSliceController,
    namespaceController,
    garbageCollector,
    nodeLifecycleController,
    taintEvictionController,
    podGarbageCollector,
    replicaSetController,
    deploymentController,
    disruptionController,
    serviceAccountController,
    resourceQuotaController,
    clusterRoleAggregationController,
    tokenCleaner,
    bootstrapSigner,
    claimProtection,
    volumeProtection,
    ...(rootCa ? [rootCaPublisher(rootCa)] : []),
    ...(authority ? certificateControllers(authority) : []),
    ...(issueToken && rootCa ? [serviceAccountTokenController(issueToken, rootCa)] : []),
    ...(checkPolicyTypes ? [policyStatusController(checkPolicyTypes)] : []),
  ];
}

/** Runs the controllers until `signal` aborts; resolves when the last has ended. @throws for a name in `only` that there is not */
export async function startControllers({
  only,
  rootCa,
  authority,
  issueToken,
  checkPolicyTypes,
  ...run
}: StartControllersOptions): Promise<void> {
  const controllers = allControllers({
    ...(rootCa ? { rootCa } : {}),
    ...(authority ? { authority } : {}),
    ...(issueToken ? { issueToken } : {}),
    ...(checkPolicyTypes ? { checkPolicyTypes } : {}),
  });
  const unknown = only?.find((name) => !controllers.some((known) => known.name === name));
  if (unknown !== undefined) throw new Error(`there is no controller ${JSON.stringify(unknown)}`);
  const served = await discoverKinds(run);
  const running = controllers.filter((each) => {
    if (only && !only.includes(each.name)) return false;
    const missing = each.needs.find((kind) => !served.has(groupResourceOf(kind)));
    if (missing) run.log.info(`controller ${each.name} is not started: the server has no ${groupResourceOf(missing)}`);
    return !missing;
  });
  await Promise.all(running.map((each) => each.run(run)));
}

const discoveryBackoff = { baseMs: 100, capMs: 5_000, jitter: 1 };

/** What the server has, as soon as it answers; nothing when `signal` aborts first. */
async function discoverKinds({ client, clock, random, log, signal }: ControllerRun): Promise<Set<string>> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const { kinds } = await discover(client.transport);
      return new Set(kinds.map(({ kind }) => groupResourceOf(kind)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.debug(`the controllers wait for the server: ${error.message}`);
    }
    await sleep(clock, backoffMs(attempt, discoveryBackoff, random), signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
  return new Set();
}
