// What a container leaves behind for people: its termination message file, or the end of its log.

import { open } from 'node:fs/promises';
import { readLogTail } from '../logs/log-reader.ts';
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from './names.ts';
import type { ContainerState } from './pod-state.ts';

const messageBytesMax = 4096;
const logLinesMax = 80;
const logBytesMax = 2048;

/** '' when there is none. */
export async function readTerminationMessage(container: ContainerState): Promise<string> {
  const path = container.annotations[terminationMessagePathAnnotation];
  const source = container.mounts.find((m) => m.containerPath === path)?.hostPath;
  const text = source ? await readHead(source, messageBytesMax) : '';
  if (text !== '') return text;
  const isFallback = container.annotations[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError';
  if (isFallback && container.exitCode !== 0 && container.logPath) {
    return readLogTail(container.logPath, { linesMax: logLinesMax, bytesMax: logBytesMax });
  }
  return container.message;
}

async function readHead(path: string, bytesMax: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesMax), 0, bytesMax, 0);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
