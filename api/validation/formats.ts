// The text formats of names and values, each a function from a value to its problems, worded as
// k8s.io/apimachinery/pkg/util/validation words them. No problem: the same empty list every time.

const fine: readonly string[] = Object.freeze([]);

/** The problems of a value; empty when it is fine. */
export type Problems = readonly string[];

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomain = `${underscoreLabel}(\\.${underscoreLabel})*`;
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const wildcardSubdomain = `\\*\\.${subdomain}`;
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${labelKey})?`;
const cIdentifier = '[A-Za-z_][A-Za-z0-9_]*';
const percent = '[0-9]+%';
const httpHeaderName = '[-A-Za-z0-9]+';
const envVarName = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configMapKey = '[-._a-zA-Z0-9]+';
const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const conditionReason = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';

const whole = (format: string) => new RegExp(`^(?:${format})$`);
const labelPattern = whole(label);
const subdomainPattern = whole(subdomain);
const underscoreSubdomainPattern = whole(underscoreSubdomain);
const dns1035Pattern = whole(dns1035);
const wildcardPattern = whole(wildcardSubdomain);
const labelKeyPattern = whole(labelKey);
const labelValuePattern = whole(labelValue);
const cIdentifierPattern = whole(cIdentifier);
const percentPattern = whole(percent);
const httpHeaderNamePattern = whole(httpHeaderName);
const envVarNamePattern = whole(envVarName);
const configMapKeyPattern = whole(configMapKey);
const httpPathPattern = whole(httpPath);
const conditionReasonPattern = whole(conditionReason);

/** `... (e.g. 'a',  or 'b', regex used for validation is '...')` */
export function regexProblem(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${format}')`;
}

/** `must be between 1 and 65535, inclusive` */
export function rangeProblem(min: number, max: number): string {
  return `must be between ${min} and ${max}, inclusive`;
}

export function maxLengthProblem(length: number): string {
  return `must be no more than ${length} characters`;
}

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

export function dns1123LabelProblems(value: string): Problems {
  if (value.length <= 63 && labelPattern.test(value)) return fine;
  const problems = value.length > 63 ? [maxLengthProblem(63)] : [];
  if (labelPattern.test(value)) return problems;
  if (subdomainPattern.test(value)) return [...problems, 'must not contain dots'];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, regexProblem(message, label, 'my-name', '123-abc')];
}

export function dns1123SubdomainProblems(value: string): Problems {
  if (value.length <= 253 && subdomainPattern.test(value)) return fine;
  const problems = value.length > 253 ? [maxLengthProblem(253)] : [];
  return subdomainPattern.test(value) ? problems : [...problems, regexProblem(subdomainMessage, subdomain, 'example.com')];
}

export function dns1123SubdomainWithUnderscoreProblems(value: string): Problems {
  if (value.length <= 253 && underscoreSubdomainPattern.test(value)) return fine;
  const problems = value.length > 253 ? [maxLengthProblem(253)] : [];
  if (underscoreSubdomainPattern.test(value)) return problems;
  const message = subdomainMessage.replace("'-' or '.'", "'_', '-' or '.'");
  return [...problems, regexProblem(message, underscoreSubdomain, 'example.com')];
}

export function wildcardSubdomainProblems(value: string): Problems {
  const problems = value.length > 253 ? [maxLengthProblem(253)] : [];
  if (wildcardPattern.test(value)) return problems;
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...problems, regexProblem(message, wildcardSubdomain, '*.example.com')];
}

export function dns1035LabelProblems(value: string): Problems {
  if (value.length <= 63 && dns1035Pattern.test(value)) return fine;
  const problems = value.length > 63 ? [maxLengthProblem(63)] : [];
  if (dns1035Pattern.test(value)) return problems;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, regexProblem(message, dns1035, 'my-name', 'abc-123')];
}

/** Label keys, finalizer names, resource names: `[prefix/]name`. */
export function qualifiedNameProblems(value: string): Problems {
  const slash = value.indexOf('/');
  if (slash === -1 && value.length <= 63 && labelKeyPattern.test(value)) return fine;
  const message = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const wording = regexProblem(message, labelKey, 'MyName', 'my.name', '123-abc');
  if (slash !== value.lastIndexOf('/'))
    return [`a valid label key ${wording} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const problems: string[] = [];
  const name = value.slice(slash + 1);
  if (slash === 0) problems.push('prefix part must be non-empty');
  else if (slash > 0)
    for (const problem of dns1123SubdomainProblems(value.slice(0, slash))) {
      problems.push(`prefix part ${problem.replace('253 characters', '253 bytes')}`);
    }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!labelKeyPattern.test(name)) problems.push(`name part ${wording}`);
  return problems.length ? problems : fine;
}

export function labelValueProblems(value: string): Problems {
  if (value.length <= 63 && labelValuePattern.test(value)) return fine;
  const problems = value.length > 63 ? ['must be no more than 63 bytes'] : [];
  if (labelValuePattern.test(value)) return problems;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...problems, regexProblem(message, labelValue, 'MyValue', 'my_value', '12345')];
}

export function cIdentifierProblems(value: string): Problems {
  if (cIdentifierPattern.test(value)) return fine;
  const message =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [regexProblem(message, cIdentifier, 'my_name', 'MY_NAME', 'MyName')];
}

export function portNumberProblems(port: number): Problems {
  return port >= 1 && port <= 65535 ? fine : [rangeProblem(1, 65535)];
}

export function rangeProblems(value: number, min: number, max: number): Problems {
  return value >= min && value <= max ? fine : [rangeProblem(min, max)];
}

/** User and group ids. */
export function idProblems(id: number): Problems {
  return rangeProblems(id, 0, 2147483647);
}

/** IANA service names, as container ports are named. */
export function portNameProblems(name: string): Problems {
  const problems: string[] = [];
  if (name.length > 15) problems.push(maxLengthProblem(15));
  if (!/^[-a-z0-9]+$/.test(name)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems.length ? problems : fine;
}

export function percentProblems(value: string): Problems {
  if (percentPattern.test(value)) return fine;
  return [regexProblem("a valid percent string must be a numeric string followed by an ending '%'", percent, '1%', '93%')];
}

export function httpHeaderNameProblems(value: string): Problems {
  if (httpHeaderNamePattern.test(value)) return fine;
  return [regexProblem("a valid HTTP header must consist of alphanumeric characters or '-'", httpHeaderName, 'X-Header-Name')];
}

/** The strict form; pods take the relaxed one. */
export function envVarNameProblems(value: string): Problems {
  if (envVarNamePattern.test(value) && !value.startsWith('.')) return fine;
  const message =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  const problems = envVarNamePattern.test(value) ? [] : [regexProblem(message, envVarName, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')];
  return [...problems, ...parentPrefixProblems(value)];
}

/** KEP-4369: any printable ASCII but '='. */
export function relaxedEnvVarNameProblems(value: string): Problems {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[ -<>-~]+$/.test(value)) return fine;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Keys of config maps and secrets. */
export function configMapKeyProblems(value: string): Problems {
  if (value.length <= 253 && configMapKeyPattern.test(value) && !value.startsWith('.')) return fine;
  const problems = value.length > 253 ? [maxLengthProblem(253)] : [];
  if (!configMapKeyPattern.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(regexProblem(message, configMapKey, 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...problems, ...parentPrefixProblems(value)];
}

function parentPrefixProblems(value: string): Problems {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  if (value.startsWith('..')) return ["must not start with '..'"];
  return fine;
}

/** The path part of `example.com/path`. */
export function httpPathProblems(value: string): Problems {
  return httpPathPattern.test(value) ? fine : [regexProblem('Invalid path', httpPath)];
}

/** The reason of a metav1.Condition. */
export function conditionReasonProblems(value: string): Problems {
  if (conditionReasonPattern.test(value)) return fine;
  const message =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  return [regexProblem(message, conditionReason, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')];
}

/** What a name may be so that it fits in a URL path; the names of RBAC objects. */
export function pathSegmentProblems(name: string, isPrefix = false): Problems {
  if (!isPrefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  if (!name.includes('/') && !name.includes('%')) return fine;
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** A checker of metadata.name, or of metadata.generateName when `isGenerateName`: there a last dash is allowed. */
export type NameChecker = (name: string, isGenerateName: boolean) => Problems;

const masked = (name: string, isGenerateName: boolean) =>
  isGenerateName && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

export const nameIsDnsSubdomain: NameChecker = (name, isPrefix) => dns1123SubdomainProblems(masked(name, isPrefix));
export const nameIsDnsLabel: NameChecker = (name, isPrefix) => dns1123LabelProblems(masked(name, isPrefix));
export const nameIsDns1035Label: NameChecker = (name, isPrefix) => dns1035LabelProblems(masked(name, isPrefix));
export const nameIsPathSegment: NameChecker = (name, isPrefix) => pathSegmentProblems(name, isPrefix);
