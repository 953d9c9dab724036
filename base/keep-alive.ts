// Timers of the system clock do not keep a process alive; who has work to finish says so here.

/** Keeps the process alive while `work` runs. */
export async function keepingAlive<T>(work: () => Promise<T>): Promise<T> {
  const handle = setInterval(() => {}, 2 ** 30);
  try {
    return await work();
  } finally {
    clearInterval(handle);
  }
}
