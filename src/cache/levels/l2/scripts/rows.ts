import { valueField } from '../keys.js';
import { ticketTtlMs } from '../lifetimes.js';
import { fencing, prelude, seeing, stamps } from './parts.js';

/**
 * KEYS record coarse rows…; ARGV gen loadWindowMs (nonce staleMs)…. Answers the coarse stamp and, per row, {body, stamp, ms
 * left fresh, ms left}; or it leaves a ticket and answers {whether another reader loads}. The nonce names the ticket, and is
 * the stamp of a tag that has none.
 */
export const getRows = `${prelude}${stamps}
local c = redis.call('HMGET', KEYS[2], 'stamp', 'pend')
local coarse = c[1] or ensureStamp(KEYS[2], ARGV[3], 0)
local calm = (c[2] or '') == ''
local time = now()
local function get(key, nonce, staleMs)
  local h = redis.call('HMGET', key, 'stamp', 'pend', '${valueField}', 'cs', 'until')
  local idle = calm and (h[2] or '') == ''
  if h[3] and idle and h[4] == coarse then
    local left = tonumber(h[5]) - time
    if left + tonumber(staleMs) > 0 then return { h[3], h[1], left, redis.call('PTTL', key) } end
  end
  ensureStamp(key, nonce, ${ticketTtlMs})
  -- Readers that died leave tickets behind. Voiding all of them is always safe.
  if redis.call('HLEN', key) > 64 then
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if string.sub(field, 1, 2) == 't:' then redis.call('HDEL', key, field) end
    end
  end
  local began = tonumber(redis.call('HGET', key, 'load') or '-inf')
  local others = time - began < tonumber(ARGV[2])
  redis.call('HSET', key, 't:' .. nonce, coarse)
  if not others then redis.call('HSET', key, 'load', string.format('%.0f', time)) end
  return { others and 1 or 0 }
end
local out = { coarse }
for i = 3, #KEYS do out[#out + 1] = get(KEYS[i], ARGV[2 * i - 3], ARGV[2 * i - 2]) end
return out
`;

/** Why the load of a row may not be kept, and how one is kept that may. */
const filling = `
local function refusal(row, coarse, nonce, s)
  local ticket = redis.call('HGET', row, 't:' .. nonce)
  if not ticket then return 'ticket' end
  local r = redis.call('HMGET', row, 'fence', 'ff')
  local c = redis.call('HMGET', coarse, 'stamp', 'fence', 'ff')
  if c[1] ~= ticket then return 'coarse' end
  if not isPast(s) then return 'epoch' end
  if s.xmin <= math.max(tonumber(r[2] or '0'), tonumber(c[3] or '0')) then return 'fence' end
  if not seesAll(s, r[1]) or not seesAll(s, c[2]) then return 'fence' end
end
local function fill(row, coarse, field, body, s, freshMs, keepMs)
  local h = redis.call('HMGET', row, 'stamp', 'fence', 'ff')
  local list, ff = prune(ids(h[2]), s.xmin, tonumber(h[3] or '0'), 8)
  local c = redis.call('HMGET', coarse, 'stamp', 'pend')
  redis.call('DEL', row)
  redis.call('HSET', row, 'stamp', h[1], 'pend', '', 'fence', text(list), 'ff', string.format('%.0f', ff),
    field, body, 'cs', c[1], 'until', string.format('%.0f', now() + tonumber(freshMs)))
  redis.call('PEXPIRE', row, keepMs)
  if (c[2] or '') ~= '' then redis.call('HSET', coarse, 'pend', '') end
  return { h[1], c[1] }
end
`;

/** KEYS record row coarse; ARGV gen nonce field body snapshot freshMs keepMs. Answers the stamps, or why not. */
export const fillRow = `${prelude}${fencing}${seeing}${filling}
local s = snapshot(ARGV[5])
local refused = refusal(KEYS[2], KEYS[3], ARGV[2], s)
if refused then
  if refused ~= 'ticket' then redis.call('HDEL', KEYS[2], 't:' .. ARGV[2], 'load') end
  return refused
end
return fill(KEYS[2], KEYS[3], ARGV[3], ARGV[4], s, ARGV[6], ARGV[7])
`;

/**
 * KEYS record row coarse; ARGV gen stamp coarseStamp field body freshMs keepMs channel message. An unconditional value, for
 * CACHE_MANAGER.
 */
export const putRow = `${prelude}${stamps}
local coarse = ensureStamp(KEYS[3], ARGV[3], 0)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'stamp', ARGV[2], ARGV[4], ARGV[5], 'cs', coarse,
  'until', string.format('%.0f', now() + tonumber(ARGV[6])))
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('PUBLISH', ARGV[8], ARGV[9])
return 1
`;
