// For tests: some of the controllers, or all, on a real API server with its built-in admission, a memory store and a virtual clock.

import type { TestContext } from 'node:test';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { root, startServer } from '../apiserver/server-fixture.ts';
import { type Log, silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { createCacheSet } from '../client/cache-set.ts';
import type { ControllerRun } from '../client/controller.ts';
import { createClient } from '../client/rest-client.ts';
import { type StartControllersOptions, startControllers } from '../controller/all.ts';

export interface ControllersOptions extends Pick<StartControllersOptions, 'only' | 'rootCa' | 'authority' | 'issueToken'> {
  log?: Log;
}

/** Ends with the test. `start` runs a further controller beside them. */
export async function startWithControllers(t: TestContext, { log = silentLog, ...which }: ControllersOptions = {}) {
  const { server, clock, ask, close } = await startServer({ admission: (view) => builtInAdmission(view) });
  const client = createClient(server.transport(root));
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log });
  const end = new AbortController();
  const run: ControllerRun = { client, caches, clock, random, log, signal: end.signal };
  const running: Promise<void>[] = [startControllers({ ...run, ...which })];
  t.after(async () => {
    end.abort();
    await Promise.all(running);
    await caches.close();
    await close();
  });
  return { client, clock, caches, ask, start: (more: { run(run: ControllerRun): Promise<void> }) => void running.push(more.run(run)) };
}
