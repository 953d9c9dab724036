// Every score that counts, with its weight.

import { imageLocality } from './image-locality.ts';
import { balancedAllocation, leastAllocated } from './node-resources.ts';
import { interPodPreference, nodeAffinityPreference, taintPreference } from './preferences.ts';
import type { Score } from './score.ts';
import { spreadScore } from './spread.ts';

export const allScores: readonly Score[] = [
  taintPreference,
  nodeAffinityPreference,
  spreadScore,
  interPodPreference,
  leastAllocated,
  balancedAllocation,
  imageLocality,
];
