export { WarmingAtBoot } from './at-boot.js';
export { type WarmingRequest } from './job.js';
export { type JobState, type WarmingJobView, WarmingJobs } from './jobs.js';
export { WarmingQueue } from './queue/warming-queue.js';
export { type Batch, type Cursor, type RowId, type Strategy, type Walk, type WalkOptions, Warmer } from './warmer.js';
export { type WalkRequest } from './warmer.js';
export { Warmers } from './warmers.js';
export { WarmingModule } from './warming.module.js';
export { WarmingUnavailableError } from './warming.errors.js';
