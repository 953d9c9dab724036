// Divides a number of seats among priority levels: each gets the same fraction of what it aims for, within its bounds
// (KEP-1040, "Dynamic borrowing between priority levels").

export interface Claim {
  /** At least `lowerBound`. */
  target: number;
  lowerBound: number;
  upperBound: number;
}

/** A level that wants nothing still has a part in what nobody wants. */
const targetMin = 0.001;
const epsilon = 1e-7;

/**
 * The seats of each claim, which together are `seats`, and the fraction of its target that a claim gets whose bounds do
 * not matter; undefined when the bounds leave no answer.
 */
export function shareSeats(seats: number, claims: readonly Claim[]): { shares: number[]; fairFraction: number } | undefined {
  const targets = claims.map(({ target }) => Math.max(target, targetMin));
  const lowSum = claims.reduce((sum, { lowerBound }) => sum + lowerBound, 0);
  const highSum = claims.reduce((sum, { upperBound }) => sum + upperBound, 0);
  if (lowSum - seats > epsilon || seats - highSum > epsilon) return undefined;
  const sharesAt = (fraction: number) =>
    claims.map(({ lowerBound, upperBound }, i) => Math.max(lowerBound, Math.min(upperBound, fraction * (targets[i] as number))));

  // The sum of the shares grows with the fraction, in straight pieces between the fractions at which a bound begins or
  // ends to matter. On the piece where it reaches `seats` the answer is exact.
  const bends = claims.flatMap(({ lowerBound, upperBound }, i) => [
    lowerBound / (targets[i] as number),
    upperBound / (targets[i] as number),
  ]);
  bends.sort((a, b) => a - b);
  const sum = (shares: number[]) => shares.reduce((total, share) => total + share, 0);
  let low = bends[0] ?? 0;
  let lowTotal = sum(sharesAt(low));
  for (const high of bends) {
    const highTotal = sum(sharesAt(high));
    if (highTotal >= seats) {
      const fairFraction = highTotal > lowTotal ? low + ((seats - lowTotal) / (highTotal - lowTotal)) * (high - low) : low;
      return { shares: sharesAt(fairFraction), fairFraction };
    }
    low = high;
    lowTotal = highTotal;
  }
  return { shares: sharesAt(low), fairFraction: low };
}
