// Keeps the flow schemas and priority levels that every cluster begins with: the mandatory ones are always as they are
// meant, the suggested ones as long as nobody took them over, and those of earlier versions go
// (https://kubernetes.io/docs/concepts/cluster-administration/flow-control, "Maintenance of the mandatory and suggested
// configuration objects").

import { type FlowSchema, flowSchemas, type PriorityLevelConfiguration, priorityLevelConfigurations } from '../../api/flowcontrol.ts';
import type { Kind } from '../../api/kind.ts';
import { isStatus } from '../../api/status.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { apiServerUser } from '../registry/bootstrap.ts';
import type { WriteRequest } from '../registry/registry.ts';
import { defaultObject } from '../resources/defaulted.ts';
import {
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from '../resources/flowcontrol-bootstrap.ts';

const annotation = 'apf.kubernetes.io/autoupdate-spec';
const periodMs = 60_000;
const request: WriteRequest = { namespace: '', user: apiServerUser, dryRun: false, warn: () => {} };

type Configuration = FlowSchema | PriorityLevelConfiguration;

/** Looks once a minute, beginning with the first. */
export function maintainBootstrap(server: ServerParts): { close(): void } {
  let isClosed = false;
  let timer = server.clock.setTimer(periodMs, round);
  function round(): void {
    restoreBootstrap(server)
      .catch((error: unknown) => server.log.warn('flow control objects could not be restored', { error: String(error) }))
      .finally(() => {
        if (!isClosed) timer = server.clock.setTimer(periodMs, round);
      });
  }
  return {
    close() {
      isClosed = true;
      timer.cancel();
    },
  };
}

/** One round: levels before the schemas that name them. */
export async function restoreBootstrap(server: ServerParts): Promise<void> {
  await restore(server, priorityLevelConfigurations, bootstrapPriorityLevels, mandatoryPriorityLevels);
  await restore(server, flowSchemas, bootstrapFlowSchemas, mandatoryFlowSchemas);
}

async function restore(
  server: ServerParts,
  kind: Kind,
  wanted: readonly Configuration[],
  mandatory: readonly Configuration[],
): Promise<void> {
  const served = server.resources.ofKind(kind);
  if (!served) return;
  const { registry, cache, declaration } = served;
  for (const bootstrap of wanted) {
    const name = bootstrap.metadata?.name ?? '';
    const object = structuredClone(bootstrap) as KubeObject & Configuration;
    defaultObject(declaration, object);
    const current = cache.get(registry.codec.keyOf('', name));
    try {
      if (!current) {
        await registry.create(object, request);
        continue;
      }
      const isMandatory = mandatory.includes(bootstrap);
      if (!revised(current.parse() as Configuration, object, isMandatory)) continue;
      await registry.update(name, request, (old) => revised(old as Configuration, object, isMandatory) ?? (old as KubeObject));
    } catch (error) {
      // Another API server on the same store was quicker.
      if (!isStatus(error, 'AlreadyExists') && !isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
    }
  }
  const names = new Set(wanted.map(({ metadata }) => metadata?.name));
  for (const stored of cache.list({ namespace: '', name: '', labels: [], fields: [] })) {
    if (names.has(stored.name) || asBoolean(stored.parse().metadata?.annotations?.[annotation]) !== true) continue;
    const { uid, resourceVersion } = stored.parse().metadata ?? {};
    try {
      await registry.delete(stored.name, request, {
        preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
      });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  }
}

/** `current` as it should be; undefined: it is so already. */
export function revised<T extends Configuration>(current: T, bootstrap: T, isMandatory: boolean): T | undefined {
  const annotated = asBoolean(current.metadata?.annotations?.[annotation]);
  const isOurs = isMandatory || (annotated ?? current.metadata?.generation === 1);
  const isSpecDue = isOurs && !semanticEqual(current.spec, specFor(current, bootstrap));
  if (annotated === isOurs && !isSpecDue) return undefined;
  const annotations = { ...current.metadata?.annotations, [annotation]: String(isOurs) };
  return {
    ...current,
    metadata: { ...current.metadata, annotations },
    ...(isSpecDue ? { spec: structuredClone(specFor(current, bootstrap)) } : {}),
  };
}

/** How much the exempt level lends is the administrator's to say. */
function specFor(current: Configuration, bootstrap: Configuration): Configuration['spec'] {
  const { spec } = bootstrap;
  if (!spec || !('exempt' in spec) || !current.spec || !('exempt' in current.spec)) return spec;
  return { ...spec, exempt: { ...spec.exempt, ...current.spec.exempt } } as Configuration['spec'];
}

/** Go's strconv.ParseBool; undefined for what it does not know. */
function asBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}
