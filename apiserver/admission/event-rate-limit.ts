// How many events are taken: by the server, from a namespace, from a user, or about one thing by one source (admission plug-in
// EventRateLimit).

import { events } from '../../api/core.ts';
import { type FieldError, invalid, notSupported } from '../../api/field-error.ts';
import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { PluginConfiguration } from './configuration/admission-configuration.ts';
import { configurationProblem } from './configuration/configuration-problem.ts';
import { strictObject } from './configuration/strict-object.ts';

export interface EventLimit {
  readonly type: keyof typeof keys;
  readonly qps: number;
  readonly burst: number;
  /** How many namespaces, users or things are remembered; 0: the default, 4096. */
  readonly cacheSize: number;
}

interface Event extends KubeObject {
  source?: { component?: string; host?: string };
  involvedObject?: { kind?: string; namespace?: string; name?: string; uid?: string; apiVersion?: string };
}

/** Whose events are counted together. */
const keys = {
  Server: () => '',
  Namespace: ({ namespace }: AdmissionAttributes) => namespace,
  User: ({ user }: AdmissionAttributes) => user.name,
  SourceAndObject({ object }: AdmissionAttributes) {
    const { source, involvedObject: about }: Event = object ?? {};
    return [source?.component, source?.host, about?.kind, about?.namespace, about?.name, about?.uid, about?.apiVersion].join('');
  },
};

const types = Object.keys(keys).sort();
const cacheSizeDefault = 4096;

const kind = {
  kind: 'Configuration',
  group: 'eventratelimit.admission.k8s.io',
  versions: ['v1alpha1'],
  shape: { limits: [{ type: 'string', qps: 'integer', burst: 'integer', cacheSize: 'integer' }] },
} as const;

/** @throws AdmissionConfigurationError also when there is no configuration: without a limit the plug-in is for nothing */
export function readEventLimits(configuration?: PluginConfiguration): EventLimit[] {
  const written = (configuration ? strictObject(configuration.value, kind) : {}) as { limits?: Partial<EventLimit>[] };
  const errors: FieldError[] = [];
  if (!written.limits?.length) errors.push(invalid('limits', written.limits, 'must not be empty'));
  const limits = (written.limits ?? []).map(({ type, qps = 0, burst = 0, cacheSize = 0 }, index) => {
    const at = `limits[${index}]`;
    if (!type || !types.includes(type)) errors.push(notSupported(`${at}.type`, type ?? '', types));
    if (burst <= 0) errors.push(invalid(`${at}.burst`, burst, 'must be positive'));
    if (qps <= 0) errors.push(invalid(`${at}.qps`, qps, 'must be positive'));
    if (type !== 'Server' && cacheSize < 0) errors.push(invalid(`${at}.cacheSize`, cacheSize, 'must not be negative'));
    return { type: type ?? 'Server', qps, burst, cacheSize };
  });
  if (errors.length) throw configurationProblem(errors);
  return limits;
}

/** Returns why an event is one too many. */
type Enforcer = (attributes: AdmissionAttributes) => string | undefined;

export function eventRateLimit(limits: readonly EventLimit[], clock: Clock): AdmissionPlugin {
  const enforcers = limits.map((limit) => enforcerOf(limit, clock));
  return {
    name: 'EventRateLimit',
    operations: ['CREATE', 'UPDATE'],
    // The newer group's events are another kind, and Kubernetes lets them pass.
    handles: ({ kind: { plural, group }, dryRun }) => plural === events.plural && group === events.group && !dryRun,
    validate(attributes) {
      const problems = [...new Set(enforcers.flatMap((enforce) => enforce(attributes) ?? []))];
      if (problems.length === 0) return;
      const why = problems.length > 1 ? `[${problems.join(', ')}]` : problems[0];
      throw new StatusError('TooManyRequests', `Too many requests: ${why}`);
    },
  };
}

function enforcerOf({ type, qps, burst, cacheSize }: EventLimit, clock: Clock): Enforcer {
  /** The least recently used first. */
  const buckets = new Map<string, TokenBucket>();
  const bucketsMax = cacheSize || cacheSizeDefault;
  return (attributes) => {
    const key = keys[type](attributes);
    const bucket = buckets.get(key) ?? new TokenBucket({ clock, perSecond: qps, burst });
    buckets.delete(key);
    buckets.set(key, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > bucketsMax && oldest !== undefined) buckets.delete(oldest);
    return bucket.take() ? undefined : `limit reached on type ${type} for key ${key}`;
  };
}
