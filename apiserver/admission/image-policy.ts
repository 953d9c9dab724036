// Asks a service outside whether a pod may run its images, and remembers for a while what it said (admission plug-in
// ImagePolicyWebhook).

import type { Pod } from '../../api/core.ts';
import type { Clock } from '../../base/clock.ts';
import type { AskReview } from '../reviews/review-client.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, refusal } from './admission.ts';
import type { PluginConfiguration } from './configuration/admission-configuration.ts';
import { AdmissionConfigurationError } from './plugin-order.ts';

export interface ImagePolicyConfiguration {
  readonly kubeConfigFile: string;
  /** 0: not remembered. */
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  readonly retryBackoffMs: number;
  /** Whether pods run while the service does not answer. */
  readonly defaultAllow: boolean;
}

/** An image review's status. */
interface Verdict {
  allowed?: boolean;
  reason?: string;
  auditAnnotations?: Record<string, string>;
}

const auditPrefix = 'imagepolicywebhook.image-policy.k8s.io/';
const verdictsMax = 1024;
const minuteMs = 60_000;

/** Files of old give whole numbers: -1 switches off, 0 is the default. @throws AdmissionConfigurationError */
export function readImagePolicy(configuration?: PluginConfiguration): ImagePolicyConfiguration {
  if (!configuration) throw new AdmissionConfigurationError('no config specified');
  const value = configuration.value as { imagePolicy?: Record<string, unknown> } | null;
  const { kubeConfigFile = '', allowTTL, denyTTL, retryBackoff, defaultAllow = false } = value?.imagePolicy ?? {};
  const retryBackoffMs = durationMs(retryBackoff, {
    unitMs: 1,
    minMs: 0.000_001,
    maxMs: 5 * minuteMs,
    defaultMs: 500,
    min: '1ns',
    max: '5m0s',
  });
  const ttl = { unitMs: 1000, minMs: 1000, maxMs: 30 * minuteMs, min: '1s', max: '30m0s' };
  return {
    kubeConfigFile: String(kubeConfigFile),
    allowTtlMs: durationMs(allowTTL, { ...ttl, defaultMs: 5 * minuteMs }),
    denyTtlMs: durationMs(denyTTL, { ...ttl, defaultMs: minuteMs / 2 }),
    retryBackoffMs,
    defaultAllow: defaultAllow === true,
  };
}

interface Bounds {
  unitMs: number;
  minMs: number;
  maxMs: number;
  defaultMs: number;
  min: string;
  max: string;
}

function durationMs(value: unknown, { unitMs, minMs, maxMs, defaultMs, min, max }: Bounds): number {
  if (value === undefined || value === null || value === 0) return defaultMs;
  if (value === -1) return 0;
  if (!Number.isInteger(value)) throw new AdmissionConfigurationError(`json: cannot unmarshal ${typeof value} into a duration`);
  const ms = Number(value) * unitMs;
  if (ms < minMs || ms > maxMs)
    throw new AdmissionConfigurationError(
      `valid value is between ${min} and ${max}, got ${unitMs === 1 ? `${ms}ms` : goSeconds(ms / 1000)}`,
    );
  return ms;
}

/** `1h0m5s`, `30m1s`, `-5s` */
function goSeconds(seconds: number): string {
  const whole = Math.abs(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const text = `${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${whole % 60}s`;
  return seconds < 0 ? `-${text}` : text;
}

export function imagePolicyWebhook(
  { allowTtlMs, denyTtlMs, defaultAllow }: ImagePolicyConfiguration,
  ask: AskReview,
  clock: Clock,
): AdmissionPlugin {
  /** By what was asked; the least recently used first. */
  const verdicts = new Map<string, { verdict: Verdict; untilMs: number }>();

  async function verdictOn(spec: object): Promise<Verdict> {
    const key = JSON.stringify(spec);
    const known = verdicts.get(key);
    verdicts.delete(key);
    if (known && known.untilMs > clock.monotonicMs()) {
      verdicts.set(key, known);
      return known.verdict;
    }
    const review = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', metadata: {}, spec, status: { allowed: false } };
    const { status } = await ask(review);
    const verdict: Verdict = typeof status === 'object' && status !== null ? status : {};
    const ttlMs = verdict.allowed ? allowTtlMs : denyTtlMs;
    if (ttlMs > 0) verdicts.set(key, { verdict, untilMs: clock.monotonicMs() + ttlMs });
    const [oldest] = verdicts.keys();
    if (verdicts.size > verdictsMax && oldest !== undefined) verdicts.delete(oldest);
    return verdict;
  }

  return {
    name: 'ImagePolicyWebhook',
    operations: ['CREATE', 'UPDATE'],
    handles: isPodWrite,
    async validate(attributes) {
      let verdict: Verdict;
      try {
        verdict = await verdictOn(questionOf(attributes));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (!defaultAllow) throw refusal(attributes, error.message);
        attributes.annotate(`${auditPrefix}failed-open`, 'true');
        return;
      }
      for (const [name, text] of Object.entries(verdict.auditAnnotations ?? {})) attributes.annotate(auditPrefix + name, text);
      if (verdict.allowed) return;
      const why = verdict.reason
        ? `image policy webhook backend denied one or more images: ${verdict.reason}`
        : 'one or more images rejected by webhook backend';
      throw refusal(attributes, why);
    },
  };
}

function questionOf({ object, namespace }: AdmissionAttributes): object {
  const { metadata, spec }: Pod = object ?? {};
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ image }) => ({ image }));
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([name]) => name.includes('.image-policy.k8s.io/'));
  return { containers, ...(annotations.length ? { annotations: Object.fromEntries(annotations) } : {}), namespace };
}
