import { notedTtlMs } from '../lifetimes.js';

/*
 * The protocol, where it is atomic. Every script
 *  - is headed `#!lua`, so that a replica refuses it (it may write; `inspect` alone does not);
 *  - is given the record as KEYS[1] and the caller's generation as ARGV[1], and answers EPOCHCHANGED on a mismatch;
 *  - tolerates being executed late: nothing here depends on the caller still waiting.
 *
 * A tag's hash: `stamp` its generation; `pend` writers that may still be committing; `fence` recent writers; `ff` the
 * highest id pruned from the fence; `t:<nonce>` tickets, each with the coarse stamp seen when it was taken. A row's hash
 * also: `val:<codec>`, `cs` the coarse stamp it was filled under, `until` (fresh until, ms, Redis's own clock), `load` when
 * the load that is under way began.
 * Ids are compared as doubles: exact below 2^53.
 */

export const prelude = `#!lua
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then
  return redis.error_reply('EPOCHCHANGED the data set has another generation')
end
local function ids(list)
  local out = {}
  for id in string.gmatch(list or '', '%d+') do out[#out + 1] = tonumber(id) end
  return out
end
local function text(list)
  for i, id in ipairs(list) do list[i] = string.format('%.0f', id) end
  return table.concat(list, ',')
end
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
`;

export const fencing = `
-- Ids below xmin are finished for every snapshot to come: they leave the list, and ff remembers the highest of them.
local function prune(list, xmin, ff, keep)
  if #list <= keep then return list, ff end
  table.sort(list)
  local kept = {}
  for i, id in ipairs(list) do
    if #list - i >= keep and id < xmin then ff = math.max(ff, id) else kept[#kept + 1] = id end
  end
  return kept, ff
end
-- What a transaction has fenced is noted for the feed, which then need not fence it again.
local function note(noted, key)
  redis.call('SADD', noted, key)
  redis.call('PEXPIRE', noted, ${notedTtlMs})
end
local function with(list, xid)
  for _, id in ipairs(list) do if id == xid then return list end end
  list[#list + 1] = xid
  return list
end
-- Drops value and tickets, takes a new stamp, and keeps the hash for as long as the writer may be committing.
local function fence(key, xid, xmin, stamp, noted)
  local h = redis.call('HMGET', key, 'pend', 'fence', 'ff')
  local ff = tonumber(h[3] or '0')
  local list
  list, ff = prune(with(ids(h[2]), xid), xmin, ff, 8)
  if #list > 256 then
    table.sort(list)
    ff = math.max(ff, list[#list])
    list = { xid }
  end
  local pend = {}
  for _, id in ipairs(with(ids(h[1]), xid)) do if id > ff or id == xid then pend[#pend + 1] = id end end
  redis.call('DEL', key)
  redis.call('HSET', key, 'stamp', stamp, 'pend', text(pend), 'fence', text(list), 'ff', string.format('%.0f', ff))
  note(noted, key)
end
`;

export const seeing = `
local function snapshot(text)
  local xmin, xmax, running = string.match(text, '^(%d+):(%d+):?(.*)$')
  local s = { xmin = tonumber(xmin), xmax = tonumber(xmax), running = {} }
  for id in string.gmatch(running, '%d+') do s.running[tonumber(id)] = true end
  return s
end
local function sees(s, id)
  return id < s.xmin or (id < s.xmax and not s.running[id])
end
local function seesAll(s, list)
  for _, id in ipairs(ids(list)) do if not sees(s, id) then return false end end
  return true
end
-- Whether a load has seen every writer whose fence may be missing from this generation.
local function isPast(s)
  local record = redis.call('HMGET', KEYS[1], 'epoch', 'writers')
  return sees(s, tonumber(record[1])) and seesAll(s, record[2])
end
`;

export const stamps = `
-- A coarse tag never expires: losing it would lose every row of its entity.
local function ensureStamp(key, fresh, ttl)
  local stamp = redis.call('HGET', key, 'stamp')
  if stamp then return stamp end
  redis.call('HSET', key, 'stamp', fresh)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  return fresh
end
`;
