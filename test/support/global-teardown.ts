import { type TearDown } from './global-setup.js';

export default async function tearDown(): Promise<void> {
  await (globalThis as TearDown).strataTearDown?.();
}
