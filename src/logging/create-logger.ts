import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutPasswords } from './secrets.js';

export interface LoggerOptions {
  readonly level: string;
  /** Where the lines go; standard output unless told. */
  readonly destination?: DestinationStream;
}

/** The one logger of a process: a JSON object per line, without secrets. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.authorization', '*.cookie', '*["set-cookie"]', '*.password', '*.token'], censor: '***' },
      hooks: { streamWrite: withoutPasswords },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
