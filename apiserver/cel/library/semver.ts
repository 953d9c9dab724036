// kubernetes.Semver: versions by https://semver.org, optionally of laxer writing.

import type { LibraryFunction, LibraryValue } from './library-function.ts';

const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

/** A semantic version as CEL holds it. */
export class CelSemver implements LibraryValue {
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];
  constructor(text: string) {
    const match = pattern.exec(text);
    if (!match)
      throw new Error(
        text === ''
          ? 'Version string empty'
          : text.split('.').length < 3
            ? 'No Major.Minor.Patch elements found'
            : `Invalid character(s) found in version ${JSON.stringify(text)}`,
      );
    this.numbers = match.slice(1, 4).map(BigInt);
    this.preRelease = match[4]?.split('.') ?? [];
  }
  equals(other: unknown): boolean {
    return other instanceof CelSemver && this.compareTo(other) === 0;
  }
  compareTo(other: CelSemver): number {
    for (let i = 0; i < 3; i++) {
      const [a, b] = [this.numbers[i] ?? 0n, other.numbers[i] ?? 0n];
      if (a !== b) return a < b ? -1 : 1;
    }
    const [left, right] = [this.preRelease, other.preRelease];
    if (left.length === 0 || right.length === 0) return Math.sign(right.length - left.length);
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = comparePart(left[i] ?? '', right[i] ?? '');
      if (order !== 0) return order;
    }
    return Math.sign(left.length - right.length);
  }
}

/** Numbers come before words. */
function comparePart(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (isNumber) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Leaves out a leading v and zeros, and fills up what is missing. */
function normalize(text: string): string {
  const [major = '', minor, ...patch] = text.replace(/^v/, '').split('.');
  const split = [major, ...(minor === undefined ? [] : [minor]), ...(patch.length > 0 ? [patch.join('.')] : [])].map((part) =>
    part.replace(/^0+(?=\d)/, ''),
  );
  if (split.length < 3 && /[+-]/.test(split.at(-1) ?? '')) throw new Error('short version cannot contain PreRelease/Build meta data');
  while (split.length < 3) split.push('0');
  return split.join('.');
}

const parse = (text: string, isLax = false) => new CelSemver(isLax ? normalize(text) : text);

function isSemver(text: string, isLax = false): boolean {
  try {
    return parse(text, isLax) !== undefined;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

const semver = 'kubernetes.Semver';

/** Kubernetes' semantic version library. */
export const semverFunctions: readonly LibraryFunction[] = [
  [`semver(string): ${semver}`, (text: string) => parse(text)],
  [`semver(string, bool): ${semver}`, parse],
  ['isSemver(string): bool', (text: string) => isSemver(text)],
  ['isSemver(string, bool): bool', isSemver],
  [`${semver}.major(): int`, ({ numbers }: CelSemver) => numbers[0]],
  [`${semver}.minor(): int`, ({ numbers }: CelSemver) => numbers[1]],
  [`${semver}.patch(): int`, ({ numbers }: CelSemver) => numbers[2]],
  [`${semver}.isGreaterThan(${semver}): bool`, (a: CelSemver, b: CelSemver) => a.compareTo(b) > 0],
  [`${semver}.isLessThan(${semver}): bool`, (a: CelSemver, b: CelSemver) => a.compareTo(b) < 0],
  [`${semver}.compareTo(${semver}): int`, (a: CelSemver, b: CelSemver) => BigInt(a.compareTo(b))],
];
