// Every controller, and how they are started together.

import type { Controller, ControllerRun } from '../client/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { garbageCollector } from './garbagecollector/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeLifecycleController } from './nodelifecycle/controller.ts';
import { podGarbageCollector } from './podgc/controller.ts';
import { replicationController } from './replicationcontroller/controller.ts';
import { rootCaPublisher } from './rootca/controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';
import { taintEvictionController } from './tainteviction/controller.ts';

export interface StartControllersOptions extends ControllerRun {
  /** Names of the controllers to run; all when absent. */
  only?: readonly string[];
  /** PEM of the cluster's certificate authority, to be published in every namespace; not done when absent. */
  rootCa?: string;
}

export function allControllers({ rootCa }: Pick<StartControllersOptions, 'rootCa'> = {}): Controller[] {
  return [
    replicationController,
    endpointsController,
    endpointSliceController,
    namespaceController,
    garbageCollector,
    nodeLifecycleController,
    taintEvictionController,
    podGarbageCollector,
    serviceAccountController,
    ...(rootCa ? [rootCaPublisher(rootCa)] : []),
  ];
}

/** Runs the controllers until `signal` aborts; resolves when the last has ended. @throws for a name in `only` that there is not */
export async function startControllers({ only, rootCa, ...run }: StartControllersOptions): Promise<void> {
  const controllers = allControllers(rootCa ? { rootCa } : {});
  const unknown = only?.find((name) => !controllers.some((known) => known.name === name));
  if (unknown !== undefined) throw new Error(`there is no controller ${JSON.stringify(unknown)}`);
  await Promise.all(controllers.filter(({ name }) => !only || only.includes(name)).map((each) => each.run(run)));
}
