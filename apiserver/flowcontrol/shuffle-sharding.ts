// Shuffle sharding: each flow is dealt a hand of queues by its hash, so that a flow which fills its queues shares all of
// them with hardly any other (k8s.io/apiserver/pkg/util/flowcontrol/shufflesharding).

import { createHash } from 'node:crypto';

/** The hash of one flow: of the name of its schema and what tells it from the schema's other flows. */
export function hashFlow(schema: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${schema}\0${distinguisher}`).digest().readBigUInt64LE(0);
}

/** `handSize` different numbers below `deckSize`; every hand is as likely as any other. */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = [];
  const remainders: number[] = [];
  let rest = hash;
  for (let dealt = 0; dealt < handSize; dealt++) {
    const left = BigInt(deckSize - dealt);
    let card = Number(rest % left);
    rest /= left;
    remainders.push(card);
    // The card is counted among those that are left: each one dealt before it moves it up.
    for (let earlier = dealt; earlier > 0; earlier--) if (card >= (remainders[earlier - 1] as number)) card++;
    hand.push(card);
  }
  return hand;
}
