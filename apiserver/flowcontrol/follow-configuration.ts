// Hands flow control its flow schemas and priority levels whenever they change, and writes into each schema whether the
// level it names is there.

import { type FlowSchema, flowSchemas, type PriorityLevelConfiguration, priorityLevelConfigurations } from '../../api/flowcontrol.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import { timestamp } from '../../base/clock.ts';
import { readBody, type Transport } from '../../client/transport.ts';
import { waitForNow } from '../handlers/freshness.ts';
import type { ServerParts } from '../handlers/handler.ts';
import type { FlowControl } from './flow-control.ts';

const everything = { namespace: '', name: '', labels: [], fields: [] };
const fieldManager = 'api-priority-and-fairness-config-consumer-v1';
/** Several servers that see different things must not write against each other for ever. */
const updatesPerMinuteMax = 5;
const retryMs = 30_000;

export interface ConfigurationFollower {
  /** Takes over, now, what has been written so far. */
  refresh(): Promise<void>;
  close(): void;
}

/** `transport` writes in the API server's own name. */
export function followConfiguration(server: ServerParts, flowControl: FlowControl, transport: Transport): ConfigurationFollower {
  const { resources, clock, log } = server;
  const schemas = resources.ofKind(flowSchemas);
  const levels = resources.ofKind(priorityLevelConfigurations);
  if (!schemas || !levels) return { refresh: () => Promise.resolve(), close: () => {} };
  let isClosed = false;
  let isDue = false;
  let retry: { cancel(): void } | undefined;
  const written = new Map<string, number[]>();

  const digest = () => {
    isDue = false;
    if (isClosed) return;
    const configured = schemas.cache.list(everything).map((object) => object.parse() as FlowSchema);
    const levelObjects = levels.cache.list(everything).map((object) => object.parse() as PriorityLevelConfiguration);
    flowControl.configure(configured, levelObjects);
    const names = new Set(levelObjects.map(({ metadata }) => metadata?.name));
    for (const schema of configured) {
      const level = schema.spec?.priorityLevelConfiguration.name ?? '';
      noteDangling(schema, level, !names.has(level)).catch((error: unknown) => {
        log.warn('the condition of a flow schema could not be written', { schema: schema.metadata?.name, error: String(error) });
        again();
      });
    }
  };
  const again = () => {
    if (isClosed) return;
    retry?.cancel();
    retry = clock.setTimer(retryMs, digest);
  };

  async function noteDangling(schema: FlowSchema, level: string, isDangling: boolean): Promise<void> {
    const name = schema.metadata?.name ?? '';
    const status = isDangling ? 'True' : 'False';
    const reason = isDangling ? 'NotFound' : 'Found';
    const what = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
    const message = isDangling ? `${what} but there is no such object` : `${what} and it exists`;
    const known = schema.status?.conditions?.find(({ type }) => type === 'Dangling');
    if (known?.status === status && known.reason === reason && known.message === message) return;
    const recent = (written.get(name) ?? []).filter((atMs) => clock.monotonicMs() - atMs < 60_000);
    if (recent.length > updatesPerMinuteMax) {
      again();
      return;
    }
    written.set(name, [...recent, clock.monotonicMs()]);
    const condition = { type: 'Dangling', status, lastTransitionTime: timestamp(clock), reason, message };
    const { kind } = flowSchemas;
    const response = await transport.request({
      method: 'PATCH',
      path: `${pathOf(flowSchemas)}/${name}/status?force=true&fieldManager=${fieldManager}`,
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify({ apiVersion: apiVersionOf(flowSchemas), kind, metadata: { name }, status: { conditions: [condition] } }),
    });
    const text = (await readBody(response)).toString();
    // A schema that has gone needs no condition.
    if (response.status >= 400 && response.status !== 404) throw new Error(text);
  }

  const schedule = () => {
    if (isDue) return;
    isDue = true;
    setImmediate(digest);
  };
  const leave = [schemas, levels].map(({ cache }) => cache.listen({ change: schedule, expired: schedule }));
  digest();
  return {
    async refresh() {
      await waitForNow(server);
      digest();
    },
    close() {
      isClosed = true;
      retry?.cancel();
      for (const end of leave) end();
    },
  };
}

const pathOf = (kind: Kind) => `/apis/${kind.group}/${kind.version}/${kind.plural}`;
