// Every controller, and how they are started together.

import type { Controller, ControllerRun } from '../client/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { replicationController } from './replicationcontroller/controller.ts';

export const controllers: readonly Controller[] = [replicationController, endpointsController, endpointSliceController];

export interface StartControllersOptions extends ControllerRun {
  /** Names of the controllers to run; all when absent. */
  only?: readonly string[];
}

/** Runs the controllers until `signal` aborts; resolves when the last has ended. @throws for a name in `only` that there is not */
export async function startControllers({ only, ...run }: StartControllersOptions): Promise<void> {
  const unknown = only?.find((name) => !controllers.some((known) => known.name === name));
  if (unknown !== undefined) throw new Error(`there is no controller ${JSON.stringify(unknown)}`);
  await Promise.all(controllers.filter(({ name }) => !only || only.includes(name)).map((each) => each.run(run)));
}
