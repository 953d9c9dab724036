// What a call really costs, given what it was called with: cel-go's standard costs and those of Kubernetes' libraries
// (k8s.io/apiserver/pkg/cel/library). What stands nowhere costs 1.

import { checkCost } from './cost.ts';
import type { LibraryValue } from './library/library-function.ts';
import { CelFormat } from './library/named-format.ts';
import { CelCidr, CelIp } from './library/network.ts';
import { entriesOf, mapOf } from './map-values.ts';
import { Optional } from './values.ts';

const textFactor = 0.1;
const regexFactor = 0.25;

/** Items, entries, characters or bytes; 1 for what has no size. */
export function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof CelIp) return value.bytes.length;
  if (value instanceof CelCidr) return Math.ceil(value.prefixBits / 8);
  if (value instanceof Optional) return value.hasValue() ? sizeOfValue(value.value()) : 1;
  return mapOf(value)?.size ?? 1;
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count--;
  return count;
}

/** Going through everything that a value holds. */
function traversal(value: unknown): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * textFactor);
  if (value instanceof Uint8Array) return Math.floor(value.length * textFactor);
  if (Array.isArray(value)) return value.reduce<number>((all, item) => all + traversal(item), 0);
  const map = typeof value === 'object' && value !== null ? mapOf(value) : undefined;
  return map ? entriesOf(map).reduce((all, [key, item]) => all + traversal(key) + traversal(item), 0) : 1;
}

const reading = (value: unknown, factor = textFactor) => Math.ceil(sizeOfValue(value) * factor);
const isText = (value: unknown) => typeof value === 'string' || value instanceof Uint8Array;
const matching = (text: unknown, patternLength: number) =>
  Math.ceil((1 + sizeOfValue(text)) * textFactor) * Math.ceil(patternLength * regexFactor);
const isLibraryValue = (value: unknown): value is LibraryValue =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'equals' in value;

const readsText = new Set(
  (
    'startsWith endsWith strings.quote format url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR ' +
    'quantity isQuantity semver isSemver'
  ).split(' '),
);
const goesThrough = new Set(['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']);

/** `values`: the target, if any, and the arguments. */
export function callCost(name: string, values: readonly unknown[], result: unknown): number {
  const [first, second] = values;
  if (readsText.has(name)) return reading(first);
  if (goesThrough.has(name)) return traversal(first);
  switch (name) {
    case '_==_':
    case '_!=_':
      if (name === '_==_' && isLibraryValue(first)) return 1;
      return Math.ceil(Math.min(sizeOfValue(first), sizeOfValue(second)) * textFactor);
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return isText(first) ? Math.ceil(Math.min(sizeOfValue(first), sizeOfValue(second)) * textFactor) : 1;
    case '_+_':
      return isText(first) ? Math.ceil((sizeOfValue(first) + sizeOfValue(second)) * textFactor) : 1;
    case '@in':
      return Array.isArray(second) ? second.length : 1;
    case 'string':
      return first instanceof Uint8Array ? reading(first) : 1;
    case 'bytes':
      return typeof first === 'string' ? reading(first) : 1;
    case 'contains':
      return reading(first) * reading(second);
    case 'matches':
    case 'find':
    case 'findAll':
      return matching(first, sizeOfValue(second));
    case 'replace':
    case 'split':
    case 'ip.isCanonical':
      return reading(first, 2 * textFactor);
    case 'join':
      return reading(result, 2 * textFactor);
    case 'ip':
      return first instanceof CelCidr ? 1 : reading(first);
    case 'containsIP':
      return prefixCost(first) + (typeof second === 'string' ? reading(second) : 0);
    case 'containsCIDR':
      return prefixCost(first) + reading(first) + 1 + (typeof second === 'string' ? reading(second) : 0);
    case 'validate':
      return first instanceof CelFormat ? matching(second, first.patternLength) : 1;
    case 'slice':
    case 'reverse':
    case 'lists.range':
      return madeList(sizeOfValue(result));
    case 'flatten':
      return madeList(Math.floor(sizeOfValue(first) * Number(second ?? 1n)));
    case 'distinct':
    case 'sort':
      return comparing(first);
    case '@sortByAssociatedKeys':
      return comparing(second);
    case 'sets.contains':
    case 'sets.intersects':
      return 1 + sizeOfValue(first) * sizeOfValue(second);
    case 'sets.equivalent':
      return 1 + 2 * sizeOfValue(first) * sizeOfValue(second);
    case 'check':
      return checkCost;
    case 'fieldSelector':
    case 'labelSelector':
      return 10 + reading(second) + Math.ceil(Math.ceil(sizeOfValue(second) * 0.5) * 50);
    default:
      return 1;
  }
}

const madeList = (cost: number) => 1 + 10 + cost;

/** Each item with each. */
function comparing(list: unknown): number {
  const size = sizeOfValue(list);
  const factor = Array.isArray(list) && isText(list[0]) ? 2 + textFactor : 2;
  return madeList(Math.floor(size * size * factor));
}

/** Two addresses are compared as far as the network's prefix goes. */
const prefixCost = (cidr: unknown) => Math.ceil(2 * sizeOfValue(cidr) * textFactor);
