// kubernetes.format: `format.dns1123Label().validate('Bad')` gives what is wrong, or nothing.

import {
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  qualifiedNameProblems,
} from '../../../api/validation/formats.ts';
import { formatProblem } from '../../customresources/formats.ts';
import { Optional } from '../values.ts';
import type { LibraryFunction, LibraryValue } from './library-function.ts';
import { CelUrl } from './url.ts';

/** A named format as CEL holds it. */
export class CelFormat implements LibraryValue {
  readonly name: string;
  readonly problems: (text: string) => readonly string[];
  /** How long its own expression is taken to be, which is what validating costs. */
  readonly patternLength: number;
  constructor(name: string, patternLength: number, problems: (text: string) => readonly string[]) {
    this.name = name;
    this.patternLength = patternLength;
    this.problems = problems;
  }
  equals(other: unknown): boolean {
    return other instanceof CelFormat && other.name === this.name;
  }
}

/** What is generated from a prefix may not end in a dash that the generated part would take over. */
const maskTrailingDash = (text: string) => (text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text);
const ofFormat = (format: string, problem: string) => (text: string) => (formatProblem(format, text) ? [problem] : []);

function uriProblems(text: string): string[] {
  try {
    return new CelUrl(text).text === text ? [] : [text];
  } catch (error) {
    if (error instanceof Error) return [error.message.replace(/^URL parse error during conversion from string: /, '')];
    throw error;
  }
}

const formats: readonly (readonly [name: string, shown: string, patternLength: number, problems: (text: string) => readonly string[]])[] = [
  ['dns1123Label', 'DNS1123Label', 30, dns1123LabelProblems],
  ['dns1123Subdomain', 'DNS1123Subdomain', 60, dns1123SubdomainProblems],
  ['dns1035Label', 'DNS1035Label', 30, dns1035LabelProblems],
  ['dns1123LabelPrefix', 'DNS1123LabelPrefix', 30, (text) => dns1123LabelProblems(maskTrailingDash(text))],
  ['dns1123SubdomainPrefix', 'DNS1123SubdomainPrefix', 60, (text) => dns1123SubdomainProblems(maskTrailingDash(text))],
  ['dns1035LabelPrefix', 'DNS1035LabelPrefix', 30, (text) => dns1035LabelProblems(maskTrailingDash(text))],
  ['qualifiedName', 'QualifiedName', 60, qualifiedNameProblems],
  ['labelValue', 'LabelValue', 40, labelValueProblems],
  ['uri', 'URI', 1103, uriProblems],
  ['uuid', 'uuid', 70, ofFormat('uuid', 'does not match the UUID format')],
  ['byte', 'byte', 84, ofFormat('byte', 'invalid base64')],
  ['date', 'date', 71, ofFormat('date', 'invalid date')],
  ['datetime', 'datetime', 71, ofFormat('date-time', 'invalid datetime')],
];

const byName = new Map(formats.map(([name, shown, patternLength, problems]) => [name, new CelFormat(shown, patternLength, problems)]));
const format = 'kubernetes.NamedFormat';

/** Kubernetes' format library. */
export const formatFunctions: readonly LibraryFunction[] = [
  ...[...byName].map(([name, made]): LibraryFunction => [`format.${name}(): ${format}`, () => made]),
  [`format.named(string): optional<${format}>`, (name: string) => (byName.has(name) ? Optional.of(byName.get(name)) : Optional.none())],
  [
    `${format}.validate(string): optional<list<string>>`,
    ({ problems }: CelFormat, text: string) => {
      const found = problems(text);
      return found.length === 0 ? Optional.none() : Optional.of([...found]);
    },
  ],
];
