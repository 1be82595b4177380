import { ConfigurationError } from './config.errors.js';
import { loadSettings } from './load-settings.js';

const load = (schedule: string) => () =>
  loadSettings({ DATABASE_URL: 'postgres://a@b/c', ...(schedule && { WARM_SCHEDULE: schedule }) });

describe('the warming schedule', () => {
  it.each(['', 'off', '*/15 * * * *', '30 0 4 * * 1-5'])('may be %j', (schedule) => {
    expect(load(schedule)().warmSchedule).toBe(schedule || '*/15 * * * *');
  });

  it.each(['15', 'every hour', '61 * * * *', '0 0 30 2 *', '* * * *', '* * * * * * *', '  '])(
    '%j is a fault, because it never comes round',
    (schedule) => {
      expect(load(schedule)).toThrow(ConfigurationError);
      expect(load(schedule)).toThrow(/WARM_SCHEDULE must be `off` or a cron expression/);
    },
  );
});
