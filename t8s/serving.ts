// How the API server serves, as the configuration says: kube-apiserver's flags for limits, times and browsers.

import type { ApiServerOptions } from '../apiserver/server.ts';
import { ConfigError } from './config-error.ts';

export interface ServingConfig {
  /** Requests that read and that write at a time; their sum is what priority levels share. */
  maxRequestsInflight: number;
  maxMutatingRequestsInflight: number;
  /** In milliseconds. */
  requestTimeout: number;
  /** In seconds: watches last from this long to twice as long. */
  minRequestTimeout: number;
  /** In milliseconds: how long a server that ends still serves, but is not ready. */
  shutdownDelayDuration: number;
  strictTransportSecurityDirectives: string[];
  /** Go's regular expressions. */
  corsAllowedOrigins: string[];
}

export function servingOptions(config: ServingConfig) {
  return {
    maxRequestsInFlight: { readOnly: config.maxRequestsInflight, mutating: config.maxMutatingRequestsInflight },
    requestTimeoutMs: config.requestTimeout,
    watchSecondsMin: config.minRequestTimeout,
    shutdownDelaySeconds: config.shutdownDelayDuration / 1000,
    strictTransportSecurity: config.strictTransportSecurityDirectives,
    corsAllowedOrigins: config.corsAllowedOrigins,
  } satisfies Partial<ApiServerOptions>;
}

/** What a configuration says, by the names of the flags that say it. No flag holds a secret, only names of files that do. */
export function flagsOf(config: object): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    if (value === undefined) continue;
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    flags[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return flags;
}

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it (`1m30s`), in milliseconds. @throws ConfigError */
export function duration(key: string, value: unknown): number {
  const text = value === 0 ? '0' : value;
  if (text === '0') return 0;
  if (typeof text !== 'string' || !/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text))
    throw new ConfigError(`${key}: want a duration such as 1m30s, got ${JSON.stringify(value)}`);
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) ms += Number(amount) * (unitMs[unit as string] ?? 0);
  return ms;
}

/** Directives of Strict-Transport-Security (RFC 6797 section 6.1). @throws ConfigError */
export function hstsDirectives(key: string, list: string[]): string[] {
  for (const each of list) {
    if (each !== 'includeSubDomains' && each !== 'preload' && !/^max-age=[^=]*$/.test(each))
      throw new ConfigError(`${key}: ${JSON.stringify(each)} is none of max-age=SECONDS, includeSubDomains, preload`);
  }
  return list;
}

/**
 * Expressions that say where an origin's host begins and ends: a part of one that anybody can register must not match.
 * @throws ConfigError
 */
export function originPatterns(key: string, list: string[]): string[] {
  for (const each of list) {
    if (!/\^|\/\//.test(each) || !/[$:]/.test(each))
      throw new ConfigError(
        `${key}: ${JSON.stringify(each)} does not pin to start and end of the host, as '//www\\.example\\.com(:|$)' does`,
      );
  }
  return list;
}
