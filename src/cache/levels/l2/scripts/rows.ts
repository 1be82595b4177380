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

/** KEYS record row coarse; ARGV gen nonce field body snapshot freshMs keepMs. Answers the stamps, or why not. */
export const fillRow = `${prelude}${fencing}${seeing}
local ticket = redis.call('HGET', KEYS[2], 't:' .. ARGV[2])
if not ticket then return 'ticket' end
local s = snapshot(ARGV[5])
local row = redis.call('HMGET', KEYS[2], 'stamp', 'fence', 'ff')
local coarse = redis.call('HMGET', KEYS[3], 'stamp', 'fence', 'ff', 'pend')
local refused
if coarse[1] ~= ticket then refused = 'coarse'
elseif s.xmin < tonumber(redis.call('HGET', KEYS[1], 'epoch')) then refused = 'epoch'
elseif s.xmin <= math.max(tonumber(row[3] or '0'), tonumber(coarse[3] or '0')) then refused = 'fence'
elseif not seesAll(s, row[2]) or not seesAll(s, coarse[2]) then refused = 'fence' end
if refused then
  redis.call('HDEL', KEYS[2], 't:' .. ARGV[2], 'load')
  return refused
end
local list, ff = prune(ids(row[2]), s.xmin, tonumber(row[3] or '0'), 8)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'stamp', row[1], 'pend', '', 'fence', text(list), 'ff', string.format('%.0f', ff),
  ARGV[3], ARGV[4], 'cs', coarse[1], 'until', string.format('%.0f', now() + tonumber(ARGV[6])))
redis.call('PEXPIRE', KEYS[2], ARGV[7])
if (coarse[4] or '') ~= '' then redis.call('HSET', KEYS[3], 'pend', '') end
return { row[1], coarse[1] }
`;

/**
 * KEYS record row coarse; ARGV gen xid xmin newStamp expectedStamp expectedCoarse field body freshMs keepMs channel
 * message. Stores a committed row if nobody touched its tag since the stamp was read under the row lock. With a new stamp
 * (write-through) the tag is fenced first, always, and the nodes are told; without (strict: that was done before COMMIT)
 * the value must still be absent.
 */
export const storeRow = `${prelude}${fencing}
local h = redis.call('HMGET', KEYS[2], 'stamp', ARGV[7])
local coarse = redis.call('HMGET', KEYS[3], 'stamp', 'pend')
local unchanged = h[1] == ARGV[5] and coarse[1] == ARGV[6] and (coarse[2] or '') == ''
if ARGV[4] ~= '' then
  fence(KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])
  redis.call('PUBLISH', ARGV[11], ARGV[12])
elseif h[2] then unchanged = false end
if not unchanged then return 0 end
redis.call('HDEL', KEYS[2], 'load')
redis.call('HSET', KEYS[2], 'pend', '', ARGV[7], ARGV[8], 'cs', coarse[1],
  'until', string.format('%.0f', now() + tonumber(ARGV[9])))
redis.call('PEXPIRE', KEYS[2], ARGV[10])
return 1
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
