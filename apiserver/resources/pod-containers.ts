// The rules of containers: app containers, init containers (sidecars among them) and ephemeral ones.

import type { Container, PodSpec } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid, notFound, notSupported, required } from '../../api/field-error.ts';
import type { ContainerPort, EnvFromSource, EnvVar, EphemeralContainer, Volume } from '../../api/pod-parts.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  configMapKeyProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  portNameProblems,
  portNumberProblems,
  relaxedEnvVarNameProblems,
} from '../../api/validation/formats.ts';
import { containerResourceFieldErrors, envFieldPaths, objectFieldErrors } from './downward-api.ts';
import { localNonReservedPathErrors } from './paths.ts';
import { mountsErrors } from './pod-mounts.ts';
import { lifecycleErrors, probeErrors } from './pod-probes.ts';
import { securityContextErrors } from './pod-security.ts';
import { resourcesErrors } from './resource-lists.ts';

/** What the rules of a container depend on in the rest of its pod. */
export interface PodSurroundings {
  spec: PodSpec;
  volumes: ReadonlyMap<string, Volume>;
  claims: ReadonlySet<string>;
  /** A pod itself, not a template. */
  isPod: boolean;
}

export function containersErrors(pod: PodSurroundings, at: string, errors: FieldError[]): void {
  const { containers } = pod.spec;
  if (!containers?.length) {
    errors.push(required(at));
    return;
  }
  const names = new Set<string>();
  eachAt(containers, at, (container, each) => {
    commonErrors(container, pod, each, errors);
    if (names.has(container.name)) errors.push(duplicate(`${each}.name`, container.name));
    names.add(container.name);
    longRunningErrors(container, pod, each, errors);
    restartErrors(container, each, errors);
  });
  hostPortConflicts(containers, at, errors);
}

export function initContainersErrors(pod: PodSurroundings, at: string, errors: FieldError[]): void {
  const names = new Set((pod.spec.containers ?? []).map(({ name }) => name));
  eachAt(pod.spec.initContainers, at, (container, each) => {
    commonErrors(container, pod, each, errors);
    restartErrors(container, each, errors);
    if (names.has(container.name)) errors.push(duplicate(`${each}.name`, container.name));
    else if (container.name) names.add(container.name);
    hostPortConflicts([container], at, errors);
    if (container.restartPolicy === 'Always') longRunningErrors(container, pod, each, errors);
    else
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[field]) errors.push(forbidden(`${each}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
  });
}

const forbiddenInEphemeral = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const;

export function ephemeralContainersErrors(pod: PodSurroundings, at: string, errors: FieldError[]): void {
  const { containers = [], initContainers = [], ephemeralContainers } = pod.spec;
  const others = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(others);
  const why = 'cannot be set for an Ephemeral Container';
  eachAt(ephemeralContainers, at, (container, each) => {
    commonErrors(container, pod, each, errors);
    if (names.has(container.name)) errors.push(duplicate(`${each}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(notFound(`${each}.targetContainerName`, target));
    for (const field of forbiddenInEphemeral) {
      const value = container[field];
      if (value !== undefined && !(Array.isArray(value) && value.length === 0)) errors.push(forbidden(`${each}.${field}`, why));
    }
    if (Object.keys(container.resources ?? {}).length) errors.push(forbidden(`${each}.resources`, why));
    eachAt(container.volumeMounts, `${each}.volumeMounts`, (mount, path) => {
      if (mount.subPath) errors.push(forbidden(`${path}.subPath`, why));
      if (mount.subPathExpr) errors.push(forbidden(`${path}.subPathExpr`, why));
    });
  });
}

function commonErrors(container: Container | EphemeralContainer, pod: PodSurroundings, at: string, errors: FieldError[]): void {
  const { name, image, terminationMessagePolicy, imagePullPolicy } = container;
  if (!name) errors.push(required(`${at}.name`));
  else for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
  if (!image) errors.push(required(`${at}.image`));
  else if (pod.isPod && image.trim() !== image) errors.push(invalid(`${at}.image`, image, 'must not have leading or trailing whitespace'));
  choiceErrors(terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], `${at}.terminationMessagePolicy`, errors);
  if (container.ports) portsErrors(container.ports, `${at}.ports`, errors);
  if (container.env) envErrors(container.env, `${at}.env`, pod, errors);
  if (container.envFrom) envFromErrors(container.envFrom, `${at}.envFrom`, errors);
  if (container.volumeMounts || container.volumeDevices) mountsErrors(container, pod.volumes, at, errors);
  choiceErrors(imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${at}.imagePullPolicy`, errors);
  resourcesErrors(container.resources, `${at}.resources`, errors, pod.claims);
  resizePolicyErrors(container, pod.spec.restartPolicy, `${at}.resizePolicy`, errors);
  securityContextErrors(container.securityContext, `${at}.securityContext`, errors, pod.spec.hostUsers !== false);
}

/** Adds the problem of a value that must be one of a few. */
export function choiceErrors(value: string | undefined, supported: readonly string[], at: string, errors: FieldError[]): void {
  if (!value) errors.push(required(at));
  else if (!supported.includes(value)) errors.push(notSupported(at, value, supported));
}

function longRunningErrors(container: Container, pod: PodSurroundings, at: string, errors: FieldError[]): void {
  if (container.lifecycle) lifecycleErrors(container.lifecycle, pod.spec, `${at}.lifecycle`, errors);
  if (container.livenessProbe) probeErrors(container.livenessProbe, 'liveness', `${at}.livenessProbe`, errors);
  if (container.readinessProbe) probeErrors(container.readinessProbe, 'readiness', `${at}.readinessProbe`, errors);
  if (container.startupProbe) probeErrors(container.startupProbe, 'startup', `${at}.startupProbe`, errors);
}

/** A container's own restart policy and rules (KEP-5307). */
function restartErrors({ restartPolicy, restartPolicyRules }: Container, at: string, errors: FieldError[]): void {
  if (restartPolicy !== undefined && !['Always', 'Never', 'OnFailure'].includes(restartPolicy))
    errors.push(notSupported(`${at}.restartPolicy`, restartPolicy, ['Always', 'Never', 'OnFailure']));
  if (!restartPolicyRules?.length) return;
  if (restartPolicy === undefined) errors.push(required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  if (restartPolicyRules.length > 20)
    errors.push({ type: 'FieldValueTooLong', field: `${at}.restartPolicyRules`, message: 'Too long: may not be more than 20 bytes' });
  eachAt(restartPolicyRules, `${at}.restartPolicyRules`, ({ action, exitCodes }, each) => {
    if (action !== 'Restart' && action !== 'RestartAllContainers')
      errors.push(notSupported(`${each}.action`, action ?? '', ['Restart', 'RestartAllContainers']));
    if (!exitCodes) {
      errors.push(required(`${each}.exitCodes`, 'must be specified'));
      return;
    }
    choiceErrors(exitCodes.operator, ['In', 'NotIn'], `${each}.exitCodes.operator`, errors);
    if (!exitCodes.values?.length) errors.push(required(`${each}.exitCodes.values`, 'must be specified'));
    else if (exitCodes.values.length > 255)
      errors.push({ type: 'FieldValueTooLong', field: `${each}.exitCodes.values`, message: 'Too long: may not be more than 255 bytes' });
  });
}

const protocols = ['SCTP', 'TCP', 'UDP'];

function portsErrors(ports: readonly ContainerPort[], at: string, errors: FieldError[]): void {
  const names = new Set<string>();
  eachAt(ports, at, ({ name, containerPort, hostPort, protocol }, each) => {
    if (name) {
      const problems = portNameProblems(name);
      for (const problem of problems) errors.push(invalid(`${each}.name`, name, problem));
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(`${each}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${each}.containerPort`));
    else for (const problem of portNumberProblems(containerPort)) errors.push(invalid(`${each}.containerPort`, containerPort, problem));
    if (hostPort) for (const problem of portNumberProblems(hostPort)) errors.push(invalid(`${each}.hostPort`, hostPort, problem));
    choiceErrors(protocol, protocols, `${each}.protocol`, errors);
  });
}

function hostPortConflicts(containers: readonly Container[], at: string, errors: FieldError[]): void {
  let used: Set<string> | undefined;
  for (let i = 0; i < containers.length; i++) {
    const ports = containers[i]?.ports;
    if (!ports) continue;
    for (let j = 0; j < ports.length; j++) {
      const { protocol, hostIP = '', hostPort } = ports[j] as ContainerPort;
      if (!hostPort) continue;
      used ??= new Set();
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (used.has(key)) errors.push(duplicate(`${at}[${i}].ports[${j}].hostPort`, key));
      used.add(key);
    }
  }
}

function envErrors(vars: readonly EnvVar[], at: string, pod: PodSurroundings, errors: FieldError[]): void {
  for (let i = 0; i < vars.length; i++) {
    const variable = vars[i] as EnvVar;
    if (!variable.name) errors.push(required(`${at}[${i}].name`));
    else for (const problem of relaxedEnvVarNameProblems(variable.name)) errors.push(invalid(`${at}[${i}].name`, variable.name, problem));
    if (variable.valueFrom) valueFromErrors(variable, `${at}[${i}].valueFrom`, pod, errors);
  }
}

function valueFromErrors({ value, valueFrom }: EnvVar, at: string, pod: PodSurroundings, errors: FieldError[]): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom ?? {};
  if (fieldRef) objectFieldErrors(fieldRef, envFieldPaths, `${at}.fieldRef`, errors);
  if (resourceFieldRef) containerResourceFieldErrors(resourceFieldRef, `${at}.resourceFieldRef`, errors);
  if (configMapKeyRef) keyErrors(configMapKeyRef, `${at}.configMapKeyRef`, errors);
  if (secretKeyRef) keyErrors(secretKeyRef, `${at}.secretKeyRef`, errors);
  if (fileKeyRef) {
    const { key, path, volumeName } = fileKeyRef;
    if (!key) errors.push(required(`${at}.fileKeyRef.key`));
    else for (const problem of relaxedEnvVarNameProblems(key)) errors.push(invalid(`${at}.fileKeyRef.key`, key, problem));
    if (!volumeName) errors.push(required(`${at}.fileKeyRef.volumeName`));
    else if (!pod.volumes.has(volumeName)) errors.push(notFound(`${at}.fileKeyRef.volumeName`, volumeName));
    if (!path) errors.push(required(`${at}.fileKeyRef.path`));
    else localNonReservedPathErrors(path, `${at}.fileKeyRef.path`, errors);
  }
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (count === 0) {
    const why = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(at, '', why));
  } else if (value) errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
}

function keyErrors({ name = '', key }: { name?: string; key: string }, at: string, errors: FieldError[]): void {
  for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
  if (!key) errors.push(required(`${at}.key`));
  else for (const problem of configMapKeyProblems(key)) errors.push(invalid(`${at}.key`, key, problem));
}

function envFromErrors(sources: readonly EnvFromSource[], at: string, errors: FieldError[]): void {
  eachAt(sources, at, ({ prefix, configMapRef, secretRef }, each) => {
    if (prefix) for (const problem of relaxedEnvVarNameProblems(prefix)) errors.push(invalid(`${each}.prefix`, prefix, problem));
    for (const [field, reference] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      if (!reference) continue;
      if (!reference.name) errors.push(required(`${each}.${field}.name`));
      else
        for (const problem of dns1123SubdomainProblems(reference.name))
          errors.push(invalid(`${each}.${field}.name`, reference.name, problem));
    }
    if (!configMapRef && !secretRef) errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (configMapRef && secretRef) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  });
}

function resizePolicyErrors(
  container: Container | EphemeralContainer,
  podRestartPolicy: string | undefined,
  at: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  eachAt(container.resizePolicy, at, ({ resourceName = '', restartPolicy = '' }, each) => {
    if (seen.has(resourceName)) errors.push(duplicate(each, resourceName));
    seen.add(resourceName);
    choiceErrors(resourceName, ['cpu', 'memory'], at, errors);
    choiceErrors(restartPolicy, ['NotRequired', 'RestartContainer'], at, errors);
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      errors.push(invalid(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  });
}
