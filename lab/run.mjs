// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { committedAtMs } from './observe/commit-time.mjs';
import { LoadSamples } from './observe/loads.mjs';
import { Player } from './player.mjs';
import { settings } from './stage.mjs';

/** @typedef {import('../verify/checker/history.mjs').History} History */
/** @typedef {import('./script.mjs').Script} Script */
/** @typedef {import('./stage.mjs').Stage} Stage */

/**
 * What was seen of one policy. All times are on the clock of the history.
 * @typedef {object} Recorded
 * @property {History} history
 * @property {number} startedMs
 * @property {import('./observe/loads.mjs').Sample[]} loads
 * @property {import('./observe/bus.mjs').Heard[]} heard
 * @property {number[]} delaysMs by how much each cue came too late: how busy the machine was
 * @property {number} [witnessCommittedMs]
 */

/**
 * Plays the script on a stage: each cue at its moment, whatever became of the earlier ones.
 * @param {Script} script
 * @param {Stage} stage
 * @param {import('../verify/checker/history.mjs').Policy} policy
 * @returns {Promise<Recorded>}
 */
export async function play(script, stage, policy) {
  const player = new Player(stage);
  const loads = new LoadSamples(stage.nodes, stage.client);
  /** @type {number[]} */
  const delaysMs = [];
  const startedMs = performance.now();
  try {
    for (const cue of script.cues) {
      const waitMs = startedMs + cue.atMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: stage.signal });
      delaysMs.push(performance.now() - startedMs - cue.atMs);
      player.begin(cue);
    }
    await player.ended();
  } catch (error) {
    // A node that has ended is the reason, not what that led to.
    stage.signal.throwIfAborted();
    throw error;
  } finally {
    await loads.stop();
  }
  stage.signal.throwIfAborted();
  const { reads, writes, faults } = player.recorder;
  const committed = await stage.database.committed();
  const witnessCommittedMs = await committedAtMs(stage.database.url, script.witness.key);
  return {
    history: { policy, settings, seeds: stage.seeds, writes, reads, faults, committed, left: [] },
    startedMs,
    loads: loads.samples,
    heard: stage.bus.heard,
    delaysMs,
    ...(witnessCommittedMs !== undefined && { witnessCommittedMs }),
  };
}
