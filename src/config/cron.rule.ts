import { ValidateBy } from 'class-validator';
import cronParser from 'cron-parser';

const message = 'must be `off` or a cron expression of five fields (six with seconds first) that comes round';

/** `off`, or a cron expression that has a next time: 30 February has none. */
export function IsScheduleOrOff(): PropertyDecorator {
  const validate = (value: unknown) => value === 'off' || (typeof value === 'string' && comesRound(value));
  return ValidateBy({ name: 'isScheduleOrOff', validator: { validate, defaultMessage: () => message } });
}

function comesRound(expression: string): boolean {
  // The parser fills missing fields in; whoever writes "15" means something else.
  if (!/^\S+( \S+){4,5}$/.test(expression)) return false;
  try {
    cronParser.parseExpression(expression).next();
    return true;
  } catch {
    return false;
  }
}
