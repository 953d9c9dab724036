// How often, and how fast, it is found out who asks and whether they may; and what is recorded of it. Names of users are
// no labels: there is no end to them.

import { Counter, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import type { Authorizer } from './authz/authorizer.ts';
import type { Filter } from './context.ts';
import type { AuditOptions } from './filters/audit.ts';

/** From a millisecond, each twice the one before. */
const buckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

/** `authenticate`, counted: it has succeeded once it lets the request pass. */
export function measuredAuthentication(authenticate: Filter, clock: Clock, registry: Registry): Filter {
  const registers = [registry];
  const users = new Counter({
    name: 'authenticated_user_requests',
    help: 'Counter of authenticated requests broken out by username.',
    labelNames: ['username'],
    registers,
  }).labels({ username: 'other' });
  const attempts = new Counter({
    name: 'authentication_attempts',
    help: 'Counter of authenticated attempts.',
    labelNames: ['result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'authentication_duration_seconds',
    help: 'Authentication duration in seconds broken out by result.',
    labelNames: ['result'],
    buckets,
    registers,
  });
  const success = { attempts: attempts.labels({ result: 'success' }), seconds: seconds.labels({ result: 'success' }) };
  return async (ctx, next) => {
    const startMs = clock.monotonicMs();
    let hasPassed = false;
    const pass = () => {
      hasPassed = true;
      users.inc();
      success.attempts.inc();
      success.seconds.observe((clock.monotonicMs() - startMs) / 1000);
      return next();
    };
    try {
      await authenticate(ctx, pass);
    } catch (error) {
      if (!hasPassed) {
        attempts.inc({ result: 'failure' });
        seconds.observe({ result: 'failure' }, (clock.monotonicMs() - startMs) / 1000);
      }
      throw error;
    }
  };
}

/** The same authorizer, counted. */
export function measuredAuthorizer(authorizer: Authorizer, clock: Clock, registry: Registry): Authorizer {
  const registers = [registry];
  const attempts = new Counter({
    name: 'authorization_attempts_total',
    help: "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
    labelNames: ['result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'authorization_duration_seconds',
    help: 'Authorization duration in seconds broken out by result.',
    labelNames: ['result'],
    buckets,
    registers,
  });
  const decisions = new Counter({
    name: 'apiserver_authorization_decisions_total',
    help: 'Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
    labelNames: ['type', 'name', 'decision'],
    registers,
  });
  const allowed = { attempts: attempts.labels({ result: 'allowed' }), seconds: seconds.labels({ result: 'allowed' }) };
  const note = (result: string, elapsedSeconds: number) => {
    attempts.inc({ result });
    seconds.observe({ result }, elapsedSeconds);
  };
  return async (attributes) => {
    const startMs = clock.monotonicMs();
    const elapsedSeconds = () => (clock.monotonicMs() - startMs) / 1000;
    try {
      const answer = await authorizer(attributes);
      if (answer.by) decisions.inc({ ...answer.by, decision: answer.decision === 'allow' ? 'allowed' : 'denied' });
      if (answer.decision === 'allow') {
        allowed.attempts.inc();
        allowed.seconds.observe(elapsedSeconds());
      } else note(answer.decision === 'no opinion' ? 'no-opinion' : 'denied', elapsedSeconds());
      return answer;
    } catch (error) {
      note('error', elapsedSeconds());
      throw error;
    }
  };
}

/** The same audit, counted. */
export function measuredAudit({ policy, log }: AuditOptions, registry: Registry): AuditOptions {
  const events = new Counter({
    name: 'apiserver_audit_event_total',
    help: 'Counter of audit events generated and sent to the audit backend.',
    registers: [registry],
  });
  const levels = new Counter({
    name: 'apiserver_audit_level_total',
    help: 'Counter of policy levels for audit events (1 per request).',
    labelNames: ['level'],
    registers: [registry],
  });
  return {
    policy: {
      ...policy,
      decide: (info, user) => {
        const decided = policy.decide(info, user);
        levels.inc({ level: decided.level });
        return decided;
      },
    },
    log: {
      ...log,
      write(event) {
        events.inc();
        log.write(event);
      },
    },
  };
}
