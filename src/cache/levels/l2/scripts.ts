import { createHash } from 'node:crypto';
import { inspect } from './inspect.script.js';

/*
 * The protocol, where it is atomic. Every script
 *  - is headed `#!lua`, so that a replica refuses it (it may write; `inspect` alone does not);
 *  - is given the record as KEYS[1] and the caller's generation as ARGV[1], and answers EPOCHCHANGED on a mismatch;
 *  - tolerates being executed late: nothing here depends on the caller still waiting.
 *
 * A tag's hash: `stamp` its generation; `pend` writers that may still be committing; `fence` recent writers; `ff` the
 * highest id pruned from the fence; `t:<nonce>` tickets, each with the coarse stamp seen when it was taken. A row's hash
 * also: `val:<codec>`, `cs` the coarse stamp it was filled under, `until` (fresh until, ms, Redis's own clock).
 * Ids are compared as doubles: exact below 2^53.
 */

const prelude = `#!lua
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

const fencing = `
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
local function with(list, xid)
  for _, id in ipairs(list) do if id == xid then return list end end
  list[#list + 1] = xid
  return list
end
-- Drops value and tickets, takes a new stamp, and keeps the hash for as long as the writer may be committing.
local function fence(key, xid, xmin, stamp)
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
end
`;

const seeing = `
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
`;

const stamps = `
-- A coarse tag never expires: losing it would lose every row of its entity.
local function ensureStamp(key, fresh, ttl)
  local stamp = redis.call('HGET', key, 'stamp')
  if stamp then return stamp end
  redis.call('HSET', key, 'stamp', fresh)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  return fresh
end
`;

/** KEYS record row coarse; ARGV gen nonce field staleMs renew ticketTtlMs rowStamp coarseStamp */
const getRow = `${prelude}${stamps}
local coarse = ensureStamp(KEYS[3], ARGV[8], 0)
local h = redis.call('HMGET', KEYS[2], 'stamp', 'pend', ARGV[3], 'cs', 'until')
local idle = (h[2] or '') == '' and (redis.call('HGET', KEYS[3], 'pend') or '') == ''
if h[3] and idle and h[4] == coarse and ARGV[5] == '0' then
  local left = tonumber(h[5]) - now()
  if left + tonumber(ARGV[4]) > 0 then
    return { h[3], h[1], coarse, left, redis.call('PTTL', KEYS[2]) }
  end
end
ensureStamp(KEYS[2], ARGV[7], tonumber(ARGV[6]))
-- Readers that died leave tickets behind. Voiding all of them is always safe.
if redis.call('HLEN', KEYS[2]) > 64 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(field, 1, 2) == 't:' then redis.call('HDEL', KEYS[2], field) end
  end
end
redis.call('HSET', KEYS[2], 't:' .. ARGV[2], coarse)
return {}
`;

/** KEYS record row coarse; ARGV gen nonce field body snapshot freshMs keepMs. Answers {row stamp, coarse stamp} or why not. */
const fillRow = `${prelude}${fencing}${seeing}
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
  redis.call('HDEL', KEYS[2], 't:' .. ARGV[2])
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

/** KEYS record fenced… peeked…; ARGV gen xid xmin fencedCount ttlMs channel message stamps…. Answers every stamp. */
const fence = `${prelude}${fencing}${stamps}
local count = tonumber(ARGV[4])
local out = {}
for i = 2, #KEYS do
  local stamp = ARGV[i + 6]
  if i - 1 <= count then
    fence(KEYS[i], tonumber(ARGV[2]), tonumber(ARGV[3]), stamp)
    out[#out + 1] = stamp
  else
    out[#out + 1] = ensureStamp(KEYS[i], stamp, string.sub(KEYS[i], -2) == ':*' and 0 or tonumber(ARGV[5]))
  end
end
if count > 0 then redis.call('PUBLISH', ARGV[6], ARGV[7]) end
return out
`;

/**
 * KEYS record row coarse; ARGV gen xid xmin newStamp expectedStamp expectedCoarse field body freshMs keepMs channel
 * message. Stores a committed row if nobody touched its tag since the stamp was read under the row lock. With a new stamp
 * (write-through) the tag is fenced first, always, and the nodes are told; without (strict: that was done before COMMIT)
 * the value must still be absent.
 */
const storeRow = `${prelude}${fencing}
local h = redis.call('HMGET', KEYS[2], 'stamp', ARGV[7])
local coarse = redis.call('HMGET', KEYS[3], 'stamp', 'pend')
local unchanged = h[1] == ARGV[5] and coarse[1] == ARGV[6] and (coarse[2] or '') == ''
if ARGV[4] ~= '' then
  fence(KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])
  redis.call('PUBLISH', ARGV[11], ARGV[12])
elseif h[2] then unchanged = false end
if not unchanged then return 0 end
redis.call('HSET', KEYS[2], 'pend', '', ARGV[7], ARGV[8], 'cs', coarse[1],
  'until', string.format('%.0f', now() + tonumber(ARGV[9])))
redis.call('PEXPIRE', KEYS[2], ARGV[10])
return 1
`;

/** KEYS record tags…; ARGV gen xid: a writer that certainly rolled back is not pending any more. */
const rolledBack = `${prelude}
for i = 2, #KEYS do
  local kept = {}
  for _, id in ipairs(ids(redis.call('HGET', KEYS[i], 'pend'))) do
    if id ~= tonumber(ARGV[2]) then kept[#kept + 1] = id end
  end
  if redis.call('HEXISTS', KEYS[i], 'pend') == 1 then redis.call('HSET', KEYS[i], 'pend', text(kept)) end
end
return 1
`;

/** KEYS record tags…; ARGV gen ttlMs stamps…. Answers the epoch and, per tag, {stamp, fence, ff}. */
const readTags = `${prelude}${stamps}
local out = { redis.call('HGET', KEYS[1], 'epoch') }
for i = 2, #KEYS do
  ensureStamp(KEYS[i], ARGV[i + 1], string.sub(KEYS[i], -2) == ':*' and 0 or tonumber(ARGV[2]))
  local h = redis.call('HMGET', KEYS[i], 'stamp', 'fence', 'ff')
  out[#out + 1] = { h[1], h[2] or '', h[3] or '0' }
end
return out
`;

/** KEYS record entry; ARGV gen. Answers {body, dependencies, ms left fresh, ms left} or {}. */
const readDerived = `${prelude}
local h = redis.call('HMGET', KEYS[2], 'body', 'deps', 'until')
if not h[1] then return {} end
return { h[1], h[2], tonumber(h[3]) - now(), redis.call('PTTL', KEYS[2]) }
`;

/** KEYS record tags…; ARGV gen. Answers each tag's stamp, or '' where it is absent or a writer is pending. */
const verify = `${prelude}
local out = {}
for i = 2, #KEYS do
  local h = redis.call('HMGET', KEYS[i], 'stamp', 'pend')
  out[#out + 1] = (h[1] and (h[2] or '') == '') and h[1] or ''
end
return out
`;

/**
 * KEYS record entry tags…; ARGV gen body dependencies freshMs keepMs snapshot|'' stamps….
 * Stores (unless keepMs is 0) if no stamp has changed meanwhile; clears a tag's pending writers only if the snapshot sees every one.
 */
const storeDerived = `${prelude}${seeing}
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

/** KEYS record tags…; ARGV gen ttlMs channel message stamps…. A new stamp and no value; fences and writers stay. */
const invalidate = `${prelude}
for i = 2, #KEYS do
  local h = redis.call('HMGET', KEYS[i], 'pend', 'fence', 'ff')
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'stamp', ARGV[i + 3], 'pend', h[1] or '', 'fence', h[2] or '', 'ff', h[3] or '0')
  if (h[1] or '') == '' and string.sub(KEYS[i], -2) ~= ':*' then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
`;

/** KEYS record row coarse; ARGV gen stamp coarseStamp field body freshMs keepMs channel message. An unconditional value (CACHE_MANAGER). */
const putRow = `${prelude}${stamps}
local coarse = ensureStamp(KEYS[3], ARGV[3], 0)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'stamp', ARGV[2], ARGV[4], ARGV[5], 'cs', coarse,
  'until', string.format('%.0f', now() + tonumber(ARGV[6])))
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('PUBLISH', ARGV[8], ARGV[9])
return 1
`;

/** KEYS init record; ARGV nonce gen epoch channel identities… (field, value). Begins a generation, and says so, if the right to is still ours. */
const installGeneration = `#!lua
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'gen', ARGV[2], 'epoch', ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return 1
`;

const source = {
  getRow,
  fillRow,
  fence,
  storeRow,
  rolledBack,
  readTags,
  readDerived,
  verify,
  storeDerived,
  invalidate,
  putRow,
  installGeneration,
  inspect,
};

export type ScriptName = keyof typeof source;

export interface Script {
  readonly text: string;
  readonly sha: string;
}

export const scripts = Object.fromEntries(
  Object.entries(source).map(([name, text]) => [name, { text, sha: createHash('sha1').update(text).digest('hex') }]),
) as Record<ScriptName, Script>;
