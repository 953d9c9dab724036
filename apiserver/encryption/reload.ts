// Follows the file of an EncryptionConfiguration, as --encryption-provider-config-automatic-reload asks for: a change that can
// be used replaces what is in use; one that cannot is told of, tried again, and changes nothing.

import { backoffMs } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { EncryptionMetrics } from './encryption-metrics.ts';
import { hashOf, kmsProblem, type LoadedEncryption, type ResourceTransformers } from './resource-transformers.ts';

/** A small file: looking into it costs nothing. Kubernetes looks once a minute. */
const pollIntervalMs = 1000;
const failedBackoff = { baseMs: 1000, capMs: 60_000 };
/** How long new KMS plug-ins have at least until they are well. */
const healthyWithinMsMin = 10_000;
const healthPollMs = 100;

export interface ReloadOptions {
  /** What the file says now. */
  read(): Promise<string>;
  load(text: string): Promise<LoadedEncryption>;
  transformers: ResourceTransformers;
  metrics: EncryptionMetrics;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** Resolves when the signal is aborted. Never rejects. */
export async function followConfigurationFile(options: ReloadOptions): Promise<void> {
  const { clock, signal, log, metrics } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await sleep(clock, failures === 0 ? pollIntervalMs : backoffMs(failures - 1, failedBackoff), signal);
      const hash = await reloadIfChanged(options);
      failures = 0;
      if (hash) {
        metrics.reloaded(hash);
        log.info('the encryption configuration was loaded anew', { hash });
      }
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      metrics.reloadFailed();
      log.error('error processing encryption config file', { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** The hash of what is used from now on; undefined when nothing has changed. @throws when it cannot be used */
async function reloadIfChanged({ read, load, transformers, clock, signal }: ReloadOptions): Promise<string | undefined> {
  const text = await read();
  const previous = transformers.loaded;
  if (hashOf(text) === previous.hash) return undefined;
  const loaded = await load(text);
  try {
    await untilHealthy(loaded, clock, signal);
  } catch (error) {
    close(loaded);
    throw error;
  }
  transformers.use(loaded);
  // Requests that are under way may still be asking the old plug-ins.
  const closing = clock.setTimer(graceMs(previous), () => close(previous));
  signal.addEventListener(
    'abort',
    () => {
      closing.cancel();
      close(previous);
    },
    { once: true },
  );
  return loaded.hash;
}

async function untilHealthy(loaded: LoadedEncryption, clock: Clock, signal: AbortSignal): Promise<void> {
  const untilMs = clock.monotonicMs() + Math.max(healthyWithinMsMin, graceMs(loaded));
  for (;;) {
    const problem = await kmsProblem(loaded.kms);
    if (problem === undefined) return;
    if (clock.monotonicMs() >= untilMs)
      throw new Error(`health check for new transformers failed, polling error timed out waiting for the condition: ${problem}`);
    await sleep(clock, healthPollMs, signal);
  }
}

/** Longer than everything that may be under way. */
const graceMs = ({ kms }: LoadedEncryption) => 2 * kms.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);

function close({ kms }: LoadedEncryption): void {
  for (const each of kms) each.close();
}
