import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The report of the policy lab's last run. Undefined where there is none, or none that can be read. */
export async function readLabReport(): Promise<Buffer | undefined> {
  return readFile(join(process.cwd(), 'lab', 'report.html')).catch(() => undefined);
}
