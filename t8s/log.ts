// The logger of the command: pino, one JSON object a line on stderr.

import { pino } from 'pino';
import type { Log } from '../base/log.ts';

export function createLog(out: NodeJS.WritableStream, level: 'error' | 'warn' | 'info' | 'debug'): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, out);
  return wrap(logger);
}

function wrap(logger: pino.Logger): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) =>
    fields ? logger[level](fields, message) : logger[level](message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (fields) => wrap(logger.child(fields)) };
}
