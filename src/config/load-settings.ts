import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ConfigurationError } from './config.errors.js';
import { Settings } from './settings.js';
import { type SettingDefinition, settingDefinitions } from './setting.decorator.js';

/**
 * Reads and validates the environment.
 * @throws {ConfigurationError} naming every fault, unknown `CACHE_*` names included.
 */
export function loadSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const settings = plainToInstance(Settings, environment, {
    excludeExtraneousValues: true,
    exposeUnsetFields: false,
  });
  const definitions = settingDefinitions();
  const faults = [
    ...validateSync(settings).flatMap((error) => {
      const definition = definitions.find(({ property }) => property === error.property);
      return definition ? [describe(definition, environment, Object.values(error.constraints ?? {}))] : [];
    }),
    ...unknownNames(environment, definitions),
    ...lonely(settings),
  ];
  if (faults.length > 0) throw new ConfigurationError(faults);
  return Object.freeze(settings);
}

function describe(
  { name, property, secret }: SettingDefinition,
  environment: NodeJS.ProcessEnv,
  constraints: string[],
): string {
  const text = environment[name];
  if (text === undefined || text === '') return `${name} is required`;
  const given = secret ? '' : ` (given: ${JSON.stringify(text)})`;
  const rules = constraints.map((constraint) => constraint.replace(new RegExp(`^${property} `), '')).join(', ');
  return `${name} ${rules}${given}`;
}

/** What means nothing without another setting. */
function lonely({ redisUrl, redisTlsCa, redisTlsCert, redisTlsKey }: Settings): string[] {
  const files = Object.entries({ REDIS_TLS_CA: redisTlsCa, REDIS_TLS_CERT: redisTlsCert, REDIS_TLS_KEY: redisTlsKey });
  const given = files.flatMap(([name, path]) => (path === undefined ? [] : [name]));
  if (given.length > 0 && !redisUrl?.startsWith('rediss:'))
    return given.map((name) => `${name} is of no use without a rediss:// URL in REDIS_URL`);
  return (redisTlsCert === undefined) === (redisTlsKey === undefined)
    ? []
    : ['REDIS_TLS_CERT and REDIS_TLS_KEY belong together'];
}

function unknownNames(environment: NodeJS.ProcessEnv, definitions: readonly SettingDefinition[]): string[] {
  const known = new Set(definitions.map(({ name }) => name));
  return Object.keys(environment)
    .filter((name) => name.startsWith('CACHE_') && !known.has(name))
    .map((name) => `${name} is not a setting of this service`);
}
