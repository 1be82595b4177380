import { invalidate } from './invalidate.js';
import { strict } from './strict.js';
import { ttl } from './ttl.js';
import { writeThrough } from './write-through.js';

/** From the weakest to the strictest: what is made of several parts promises what its weakest part does. */
export const registered = [ttl, invalidate, writeThrough, strict] as const;
