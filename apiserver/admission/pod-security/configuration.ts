// PodSecurityConfiguration: which levels hold where namespaces say nothing, and who is exempt
// (k8s.io/pod-security-admission/admission/api).

import { duplicate, type FieldError, invalid } from '../../../api/field-error.ts';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../../api/validation/formats.ts';
import type { PluginConfiguration } from '../configuration/admission-configuration.ts';
import { configurationProblem } from '../configuration/configuration-problem.ts';
import { strictObject } from '../configuration/strict-object.ts';
import { type LevelVersion, type Policy, parseLevel, parseVersion } from './policy.ts';

export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

interface Written {
  defaults?: Readonly<Record<string, string>>;
  exemptions?: Partial<PodSecurityConfiguration['exemptions']>;
}

const modes = ['enforce', 'warn', 'audit'] as const;

const kind = {
  kind: 'PodSecurityConfiguration',
  group: 'pod-security.admission.config.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha1'],
  shape: {
    defaults: Object.fromEntries(modes.flatMap((mode) => [mode, `${mode}-version`]).map((field) => [field, 'string'] as const)),
    exemptions: { usernames: ['string'], namespaces: ['string'], runtimeClasses: ['string'] },
  },
} as const;

/** Without a configuration nothing holds by default, and nobody is exempt. @throws AdmissionConfigurationError */
export function readPodSecurityConfiguration(configuration?: PluginConfiguration): PodSecurityConfiguration {
  const { defaults = {}, exemptions = {} } = (configuration ? strictObject(configuration.value, kind) : {}) as Written;
  const errors: FieldError[] = [];
  const levelOf = (mode: (typeof modes)[number]): LevelVersion => {
    const [level, version] = [defaults[mode] || 'privileged', defaults[`${mode}-version`] || 'latest'];
    const [parsedLevel, parsedMinor] = [parseLevel(level), parseVersion(version)];
    if (parsedLevel.problem) errors.push(invalid(`defaults.${mode}`, level, parsedLevel.problem));
    if (parsedMinor.problem) errors.push(invalid(`defaults.${mode}-version`, version, parsedMinor.problem));
    return { level: parsedLevel.level, minor: parsedMinor.minor };
  };
  const [enforce, warn, audit] = modes.map(levelOf) as [LevelVersion, LevelVersion, LevelVersion];
  const { usernames, namespaces, runtimeClasses } = exemptions;
  const checked = {
    namespaces: namesOf('namespaces', namespaces, (name) => nameIsDnsLabel(name, false), errors),
    runtimeClasses: namesOf('runtimeClasses', runtimeClasses, (name) => nameIsDnsSubdomain(name, false), errors),
    usernames: namesOf('usernames', usernames, (name) => (name ? [] : ['username must not be empty']), errors),
  };
  if (errors.length) throw configurationProblem(errors);
  return { defaults: { enforce, warn, audit }, exemptions: checked };
}

function namesOf(
  field: string,
  names: readonly string[] | null | undefined,
  problemsOf: (name: string) => readonly string[],
  errors: FieldError[],
): readonly string[] {
  const seen = new Set<string>();
  for (const [index, name] of (names ?? []).entries()) {
    const at = `exemptions.${field}[${index}]`;
    const problems = problemsOf(name);
    if (problems.length) errors.push(invalid(at, name, problems.join(', ')));
    else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  return [...seen];
}
