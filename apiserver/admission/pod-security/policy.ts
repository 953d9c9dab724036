// Which pod security level a namespace's labels ask for, per mode (k8s.io/pod-security-admission/api).

import { type FieldError, invalid } from '../../../api/field-error.ts';

const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** A level as it stood in one minor version of Kubernetes; `Infinity`: as it stands now. */
export interface LevelVersion {
  level: Level;
  minor: number;
}

export interface Policy {
  /** Pods that break it are refused. */
  enforce: LevelVersion;
  /** Breaking it is noted in the audit log. */
  audit: LevelVersion;
  /** Breaking it is told to the client. */
  warn: LevelVersion;
}

type Labels = Readonly<Record<string, string>>;

const prefix = 'pod-security.kubernetes.io/';
const unset: LevelVersion = Object.freeze({ level: 'privileged', minor: Number.POSITIVE_INFINITY });

/** Nothing is enforced, noted or told. */
export const privilegedPolicy: Policy = Object.freeze({ enforce: unset, audit: unset, warn: unset });

/** `restricted:latest`, `baseline:v1.25` */
export const levelText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === Number.POSITIVE_INFINITY ? 'latest' : `v1.${minor}`}`;

/** Below zero: `a` allows more than `b`. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

export const isSameLevel = (a: LevelVersion, b: LevelVersion): boolean => a.level === b.level && a.minor === b.minor;

/** Both are privileged, or nothing differs. */
export const isEquivalent = (a: LevelVersion, b: LevelVersion): boolean =>
  (a.level === 'privileged' && b.level === 'privileged') || isSameLevel(a, b);

export const isPrivileged = ({ enforce, audit, warn }: Policy): boolean =>
  [enforce, audit, warn].every(({ level }) => level === 'privileged');

/** What cannot be read is the strictest. */
export function parseLevel(text: string): { level: Level; problem: string } {
  const level = levels.find((each) => each === text);
  return { level: level ?? 'restricted', problem: level ? '' : `must be one of ${levels.join(', ')}` };
}

/** What cannot be read is the latest. */
export function parseVersion(text: string): { minor: number; problem: string } {
  if (text === 'latest') return { minor: Number.POSITIVE_INFINITY, problem: '' };
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1];
  if (minor === undefined || !Number.isSafeInteger(Number(minor)))
    return { minor: Number.POSITIVE_INFINITY, problem: 'must be "latest" or "v1.x"' };
  return { minor: Number(minor), problem: '' };
}

/**
 * There is always a policy: what cannot be read counts as the strictest for enforcing, and as none for warnings and audit.
 * Who enforces a level and says nothing of warnings is warned by the same level.
 */
export function policyOf(labels: Labels = {}, defaults: Policy = privilegedPolicy): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const policy: Policy = { enforce: { ...defaults.enforce }, audit: { ...defaults.audit }, warn: { ...defaults.warn } };
  for (const mode of ['enforce', 'audit', 'warn'] as const) {
    readLevel(labels, mode, policy[mode], errors);
    readVersion(labels, mode, policy[mode], errors);
  }
  const { enforce, warn } = policy;
  const isEnforced = levels.some((level) => level === labels[`${prefix}enforce`]);
  if (isEnforced && labels[`${prefix}warn`] === undefined && compareLevels(enforce.level, warn.level) > 0) {
    warn.level = enforce.level;
    if (labels[`${prefix}warn-version`] === undefined) warn.minor = enforce.minor;
  }
  return { policy, errors };
}

function readLevel(labels: Labels, mode: keyof Policy, into: LevelVersion, errors: FieldError[]): void {
  const text = labels[prefix + mode];
  if (text === undefined) return;
  const { level, problem } = parseLevel(text);
  into.level = problem && mode !== 'enforce' ? 'privileged' : level;
  if (problem) errors.push(invalid(`metadata.labels[${prefix}${mode}]`, text, problem));
}

function readVersion(labels: Labels, mode: keyof Policy, into: LevelVersion, errors: FieldError[]): void {
  const label = `${prefix}${mode}-version`;
  const text = labels[label];
  if (text === undefined) return;
  const { minor, problem } = parseVersion(text);
  into.minor = minor;
  if (problem) errors.push(invalid(`metadata.labels[${label}]`, text, problem));
}

/** The modes that a namespace's own labels set to something, as `enforce=restricted:latest, warn=baseline:v1.25`. */
export function labelledPolicyText(policy: Policy, labels: Labels): string {
  const isLabelled = (mode: string) => labels[prefix + mode] !== undefined || labels[`${prefix}${mode}-version`] !== undefined;
  return (['enforce', 'audit', 'warn'] as const)
    .filter((mode) => policy[mode].level !== 'privileged' && isLabelled(mode))
    .map((mode) => `${mode}=${levelText(policy[mode])}`)
    .join(', ');
}
