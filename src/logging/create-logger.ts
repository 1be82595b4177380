import { type DestinationStream, type Logger, pino } from 'pino';
import { logged, withoutSecrets } from './secrets.js';

export interface LoggerOptions {
  readonly level: string;
  /** What no line may hold, wherever it comes from. */
  readonly secrets?: readonly string[];
  /** Where the lines go; standard output unless told. */
  readonly destination?: DestinationStream;
}

/** The one logger of a process: a JSON object per line, without secrets. */
export function createLogger({ level, secrets = [], destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      // In the place of pino's, which takes along whatever an error carries.
      serializers: { err: logged },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => logged(fields) as Record<string, unknown>,
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutSecrets(secrets) },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
