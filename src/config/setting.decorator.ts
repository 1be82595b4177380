import { Expose, Transform } from 'class-transformer';
import { readFileSync } from 'node:fs';

/** How one setting is named, read and explained. The table in docs/settings.md is made from this. */
export interface SettingOptions {
  /** How the text of the environment becomes a value; the value's rules are class-validator's. */
  readonly as?: 'string' | 'number' | 'switch' | 'file';
  readonly default?: string | number | boolean;
  /** Shown instead of the default where the default is not a plain value. */
  readonly defaultText?: string;
  /** One line for people: meaning and unit. */
  readonly doc: string;
  readonly secret?: boolean;
}

export interface SettingDefinition extends SettingOptions {
  readonly name: string;
  readonly property: string;
}

const definitions: SettingDefinition[] = [];

/** Every setting, in the order in which they are declared. */
export function settingDefinitions(): readonly SettingDefinition[] {
  return definitions;
}

/** Binds a property of the settings class to an environment variable. */
export function Setting(name: string, options: SettingOptions): PropertyDecorator {
  return (target, property) => {
    definitions.push({ ...options, name, property: String(property) });
    Expose({ name })(target, property);
    Transform(({ value }: { value: unknown }) => parse(value, options))(target, property);
  };
}

/** Text that does not parse is kept as it is: validation then names it. */
function parse(text: unknown, { as = 'string', default: fallback }: SettingOptions): unknown {
  if (typeof text !== 'string' || text === '') return fallback;
  if (as === 'file') return contentsOf(text);
  if (as === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (as === 'switch') return text === 'on' ? true : text === 'off' ? false : text;
  return text;
}

/** Of a file; a path that cannot be read is kept as it is. */
function contentsOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return path;
  }
}
