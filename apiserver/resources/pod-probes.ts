// The rules of probes and lifecycle handlers.

import type { PodSpec } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import type { HttpGetAction, Lifecycle, LifecycleHandler, Probe } from '../../api/pod-parts.ts';
import { httpHeaderNameProblems, portNameProblems, portNumberProblems } from '../../api/validation/formats.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';

const counts = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

export function probeErrors(probe: Probe, kind: 'liveness' | 'readiness' | 'startup', at: string, errors: FieldError[]): void {
  handlerErrors(probe, undefined, at, errors);
  for (const field of counts) {
    const value = probe[field] ?? 0;
    if (value < 0) errors.push(invalid(`${at}.${field}`, value, negativeMessage));
  }
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) errors.push(invalid(`${at}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'));
  if (kind === 'readiness') {
    if (seconds !== undefined) errors.push(invalid(`${at}.terminationGracePeriodSeconds`, seconds, 'must not be set for readinessProbes'));
  } else if (probe.successThreshold !== 1) errors.push(invalid(`${at}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
}

export function lifecycleErrors(lifecycle: Lifecycle, spec: PodSpec, at: string, errors: FieldError[]): void {
  const { postStart, preStop, stopSignal } = lifecycle;
  if (postStart) handlerErrors(postStart, spec.terminationGracePeriodSeconds, `${at}.postStart`, errors);
  if (preStop) handlerErrors(preStop, spec.terminationGracePeriodSeconds, `${at}.preStop`, errors);
  if (stopSignal !== undefined && !spec.os)
    errors.push(forbidden(`${at}.stopSignal`, 'may not be set for containers with empty `spec.os.name`'));
}

type Handler = LifecycleHandler & Pick<Probe, 'grpc'>;

const handlerFields = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function handlerErrors(handler: Handler, graceSeconds: number | undefined, at: string, errors: FieldError[]): void {
  let count = 0;
  for (const field of handlerFields) {
    if (handler[field] === undefined) continue;
    if (count > 0) errors.push(forbidden(`${at}.${field}`, 'may not specify more than 1 handler type'));
    else actionErrors(handler, graceSeconds, at, errors);
    count++;
  }
  if (count === 0) errors.push(required(at, 'must specify a handler type'));
}

/** The first action that is set, in Kubernetes' order. */
function actionErrors(handler: Handler, graceSeconds: number | undefined, at: string, errors: FieldError[]): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) {
    if (!exec.command?.length) errors.push(required(`${at}.exec.command`));
  } else if (httpGet) httpGetErrors(httpGet, `${at}.httpGet`, errors);
  else if (tcpSocket) portErrors(tcpSocket.port, `${at}.tcpSocket.port`, errors);
  else if (grpc) portErrors(grpc.port, `${at}.grpc.port`, errors);
  else if (sleep && graceSeconds !== undefined) {
    const seconds = sleep.seconds ?? 0;
    if (seconds < 0 || seconds > graceSeconds)
      errors.push(invalid(`${at}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`));
  }
}

function httpGetErrors(action: HttpGetAction, at: string, errors: FieldError[]): void {
  if (!action.path) errors.push(required(`${at}.path`));
  portErrors(action.port, `${at}.port`, errors);
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS')
    errors.push(notSupported(`${at}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']));
  for (const { name = '' } of action.httpHeaders ?? [])
    for (const problem of httpHeaderNameProblems(name)) errors.push(invalid(`${at}.httpHeaders`, name, problem));
}

/** Adds the problems of a port given by number or name. */
export function portErrors(port: number | string | undefined, at: string, errors: FieldError[]): void {
  if (typeof port === 'string') for (const problem of portNameProblems(port)) errors.push(invalid(at, port, problem));
  else for (const problem of portNumberProblems(port ?? 0)) errors.push(invalid(at, port ?? 0, problem));
}
