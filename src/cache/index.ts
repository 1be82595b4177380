export type { Loaded } from './loaded.js';
