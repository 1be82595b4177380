const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const time = '(\\d{2}):(\\d{2}):(\\d{2})';
const imfFixdate = new RegExp(`^[A-Z][a-z]{2}, (\\d{2}) ([A-Z][a-z]{2}) (\\d{4}) ${time} GMT$`, 'i');
const rfc850 = new RegExp(`^[A-Z][a-z]{5,8}, (\\d{2})-([A-Z][a-z]{2})-(\\d{2}) ${time} GMT$`, 'i');
const asctime = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \\d]\\d) ${time} (\\d{4})$`, 'i');

/**
 * Milliseconds since the epoch of an HTTP-date in one of its three forms (RFC 9110, 5.6.7); undefined for anything else. The
 * case of its letters does not matter to a cache (RFC 9111, 4.2).
 * @param nowMs decides the century of a two-digit year: never more than 50 years ahead
 */
export function parseHttpDate(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const fixed = imfFixdate.exec(text);
  if (fixed) return instant(fixed[3], fixed[2], fixed[1], fixed.slice(4));
  const old = rfc850.exec(text);
  if (old) return instant(String(fullYear(Number(old[3]), nowMs)), old[2], old[1], old.slice(4));
  const ansi = asctime.exec(text);
  return ansi ? instant(ansi[6], ansi[1], ansi[2], ansi.slice(3, 6)) : undefined;
}

function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function instant(year?: string, month?: string, day?: string, clock: readonly string[] = []): number | undefined {
  const number = months.indexOf(month?.toLowerCase() ?? '');
  const [hours, minutes, seconds] = clock.map(Number);
  if (number < 0 || hours! > 23 || minutes! > 59 || seconds! > 60) return undefined;
  const midnight = new Date(Date.UTC(Number(year), number, Number(day)));
  if (midnight.getUTCDate() !== Number(day)) return undefined;
  return midnight.getTime() + ((hours! * 60 + minutes!) * 60 + seconds!) * 1_000;
}
