// kubernetes.quantity: `quantity('1.5Gi').isGreaterThan(quantity('500Mi'))`.

import { addQuantities, compareQuantities, isQuantity, parseQuantity, type Quantity, subtractQuantities } from '../../../api/quantity.ts';
import type { LibraryFunction, LibraryValue } from './library-function.ts';

const nanoPerUnit = 1_000_000_000n;
const intMax = 2n ** 63n - 1n;

/** A resource quantity as CEL holds it. */
export class CelQuantity implements LibraryValue {
  readonly amount: Quantity;
  constructor(amount: Quantity) {
    this.amount = amount;
  }
  equals(other: unknown): boolean {
    return other instanceof CelQuantity && other.amount.nano === this.amount.nano;
  }
}

const whole = (value: bigint): Quantity => ({ nano: value * nanoPerUnit, format: 'DecimalExponent' });
const isWhole = ({ nano }: Quantity) => nano % nanoPerUnit === 0n && nano / nanoPerUnit <= intMax && nano / nanoPerUnit >= -intMax - 1n;
const q = 'kubernetes.Quantity';

/** Kubernetes' quantity library. */
export const quantityFunctions: readonly LibraryFunction[] = [
  [`quantity(string): ${q}`, (text: string) => new CelQuantity(parseQuantity(text))],
  ['isQuantity(string): bool', (text: string) => isQuantity(text)],
  [`sign(${q}): int`, ({ amount }: CelQuantity) => (amount.nano > 0n ? 1n : amount.nano < 0n ? -1n : 0n)],
  [`${q}.isGreaterThan(${q}): bool`, (a: CelQuantity, b: CelQuantity) => compareQuantities(a.amount, b.amount) > 0],
  [`${q}.isLessThan(${q}): bool`, (a: CelQuantity, b: CelQuantity) => compareQuantities(a.amount, b.amount) < 0],
  [`${q}.compareTo(${q}): int`, (a: CelQuantity, b: CelQuantity) => BigInt(Math.sign(compareQuantities(a.amount, b.amount)))],
  [`${q}.asApproximateFloat(): double`, ({ amount }: CelQuantity) => Number(amount.nano) / 1e9],
  [`${q}.isInteger(): bool`, ({ amount }: CelQuantity) => isWhole(amount)],
  [
    `${q}.asInteger(): int`,
    ({ amount }: CelQuantity) => {
      if (!isWhole(amount)) throw new Error('cannot convert value to integer');
      return amount.nano / nanoPerUnit;
    },
  ],
  [`${q}.add(${q}): ${q}`, (a: CelQuantity, b: CelQuantity) => new CelQuantity(addQuantities(a.amount, b.amount))],
  [`${q}.add(int): ${q}`, (a: CelQuantity, b: bigint) => new CelQuantity(addQuantities(a.amount, whole(b)))],
  [`${q}.sub(${q}): ${q}`, (a: CelQuantity, b: CelQuantity) => new CelQuantity(subtractQuantities(a.amount, b.amount))],
  [`${q}.sub(int): ${q}`, (a: CelQuantity, b: bigint) => new CelQuantity(subtractQuantities(a.amount, whole(b)))],
];
