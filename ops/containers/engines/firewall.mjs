// @ts-check
import { spawnSync } from 'node:child_process';

const tables = ['nat', 'filter', 'mangle'];

/** @param {string} table */
const rules = (table) => (spawnSync('iptables', ['-t', table, '-S'], { encoding: 'utf8' }).stdout ?? '').split('\n');

/** @param {string} rule */
const isPodmans = (rule) => rule.includes('NETAVARK');

/**
 * Podman leaves the chains of its firewall behind.
 * @returns {() => void} removes them, unless some were there before
 */
export function chainsBefore() {
  if (tables.flatMap(rules).some(isPodmans)) return () => undefined;
  return () => {
    for (const table of tables) {
      const found = rules(table).filter(isPodmans);
      const iptables = (/** @type {string[]} */ ...args) => spawnSync('iptables', ['-t', table, ...args]);
      for (const rule of found.filter((text) => text.startsWith('-A'))) {
        iptables('-D', ...(rule.slice(3).match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', '')));
      }
      const chains = found.flatMap((text) => /^-N (\S+)/.exec(text)?.[1] ?? []);
      for (const chain of chains) iptables('-F', chain);
      for (const chain of chains) iptables('-X', chain);
    }
  };
}
