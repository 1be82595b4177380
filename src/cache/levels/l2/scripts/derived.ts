import { prelude, seeing } from './parts.js';

/** KEYS record entry; ARGV gen. Answers {body, dependencies, ms left fresh, ms left} or {}. */
export const readDerived = `${prelude}
local h = redis.call('HMGET', KEYS[2], 'body', 'deps', 'until')
if not h[1] then return {} end
return { h[1], h[2], tonumber(h[3]) - now(), redis.call('PTTL', KEYS[2]) }
`;

/**
 * KEYS record entry tags…; ARGV gen body dependencies freshMs keepMs snapshot|'' stamps….
 * Stores (unless keepMs is 0) if no stamp has changed meanwhile; clears a tag's pending writers only if the snapshot sees every one.
 */
export const storeDerived = `${prelude}${seeing}
for i = 3, #KEYS do
  if redis.call('HGET', KEYS[i], 'stamp') ~= ARGV[i + 4] then return 0 end
end
local s = ARGV[6] ~= '' and snapshot(ARGV[6])
for i = 3, #KEYS do
  local pend = redis.call('HGET', KEYS[i], 'pend') or ''
  if pend ~= '' and s and seesAll(s, pend) then
    redis.call('HSET', KEYS[i], 'pend', '')
    pend = ''
  end
  local left = redis.call('PTTL', KEYS[i])
  if pend == '' and string.sub(KEYS[i], -2) ~= ':*' and left < tonumber(ARGV[5]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
end
if tonumber(ARGV[5]) == 0 then return 1 end
redis.call('HSET', KEYS[2], 'body', ARGV[2], 'deps', ARGV[3], 'until', string.format('%.0f', now() + tonumber(ARGV[4])))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
`;
