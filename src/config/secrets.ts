import { settingDefinitions } from './setting.decorator.js';
import { type Settings } from './settings.js';

/** What nobody may read in a log: the secret settings and, of those that are URLs, the passwords in them, in every spelling. */
export function secretsOf(settings: Settings): readonly string[] {
  const values = settingDefinitions().flatMap(({ property, secret }) => {
    const value: unknown = settings[property as keyof Settings];
    return secret && typeof value === 'string' ? [value] : [];
  });
  return values.flatMap((value) => [value, ...passwordsIn(value)]);
}

function passwordsIn(text: string): readonly string[] {
  if (!URL.canParse(text)) return [];
  const { password, searchParams } = new URL(text);
  const all = [password, searchParams.get('password') ?? ''].filter((found) => found !== '');
  return all.flatMap((found) => [found, decoded(found)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
