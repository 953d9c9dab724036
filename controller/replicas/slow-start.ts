// Does one thing many times, carefully: one, then two, four, eight at once, and no further once one fails.

/**
 * @returns how many times `act` succeeded
 * @throws the first error, after the batch in which it happened has ended
 */
export async function slowStart(count: number, act: () => Promise<void>): Promise<number> {
  let succeeded = 0;
  let remaining = count;
  for (let batch = Math.min(1, remaining); batch > 0; batch = Math.min(2 * batch, remaining)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, act));
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    remaining -= batch;
  }
  return succeeded;
}
