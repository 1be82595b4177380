import { fencing, prelude, stamps } from './parts.js';

/**
 * KEYS record nodes noted fenced… coarse…; ARGV gen xid xmin channel message (stamp, n)…. FENCE. Where n is the number of a
 * key, that is the coarse tag of a fenced row, and the row's new stamp names a ticket, too: what its writer loads once it
 * has committed may be filled. Answers the nodes that must acknowledge with their counts, and the age of the generation in
 * ms: FENCE and publish are one step, so a node that registers later has seen the fence.
 */
export const fence = `${prelude}${fencing}${stamps}
for i = 6, #ARGV, 2 do
  local key, stamp, coarse = KEYS[i / 2 + 1], ARGV[i], KEYS[tonumber(ARGV[i + 1])]
  fence(key, tonumber(ARGV[2]), tonumber(ARGV[3]), stamp, KEYS[3])
  if coarse then redis.call('HSET', key, 't:' .. stamp, ensureStamp(coarse, stamp, 0)) end
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return { redis.call('HGETALL', KEYS[2]), now() - tonumber(redis.call('HGET', KEYS[1], 'born')) }
`;

/**
 * KEYS record (noted tags…)…; ARGV gen ttlMs channel atMs (xid xmin count (tag, stamp)…)…. FENCE, for transactions that have
 * committed, of the tags that they have not fenced yet; answers those. They may expire: no load that could miss the writer
 * lasts so long. The fence itself does not tell: an id that is not in it may have been pruned.
 */
export const fenceMissed = `${prelude}${fencing}
local key, arg, missed = 2, 5, {}
while key <= #KEYS do
  local noted, xid, xmin = KEYS[key], tonumber(ARGV[arg]), tonumber(ARGV[arg + 1])
  local last = key + tonumber(ARGV[arg + 2])
  key, arg = key + 1, arg + 3
  while key <= last do
    if redis.call('SISMEMBER', noted, KEYS[key]) == 0 then
      fence(KEYS[key], xid, xmin, ARGV[arg + 1], noted)
      local alone = redis.call('HGET', KEYS[key], 'pend') == text({ xid })
      if alone and string.sub(KEYS[key], -2) ~= ':*' then redis.call('PEXPIRE', KEYS[key], ARGV[2]) end
      missed[#missed + 1] = ARGV[arg]
    end
    key, arg = key + 1, arg + 2
  end
end
if #missed > 0 then redis.call('PUBLISH', ARGV[3], cjson.encode({ tags = missed, atMs = tonumber(ARGV[4]) })) end
return missed
`;

/**
 * KEYS record tags…; ARGV gen xid ttlMs: a writer that certainly rolled back is not pending any more. Where it was the
 * last, the tag expires again.
 */
export const rolledBack = `${prelude}
for i = 2, #KEYS do
  local kept = {}
  for _, id in ipairs(ids(redis.call('HGET', KEYS[i], 'pend'))) do
    if id ~= tonumber(ARGV[2]) then kept[#kept + 1] = id end
  end
  if redis.call('HEXISTS', KEYS[i], 'pend') == 1 then redis.call('HSET', KEYS[i], 'pend', text(kept)) end
  if #kept == 0 and string.sub(KEYS[i], -2) ~= ':*' then redis.call('PEXPIRE', KEYS[i], ARGV[3], 'NX') end
end
return 1
`;

/**
 * KEYS record tags…; ARGV gen ttlMs channel message stamps…. A new stamp and no value; fences and writers stay. What was
 * to expire still does: its writers have committed.
 */
export const invalidate = `${prelude}
for i = 2, #KEYS do
  local h = redis.call('HMGET', KEYS[i], 'pend', 'fence', 'ff')
  local expires = (h[1] or '') == '' or redis.call('PTTL', KEYS[i]) > 0
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'stamp', ARGV[i + 3], 'pend', h[1] or '', 'fence', h[2] or '', 'ff', h[3] or '0')
  if expires and string.sub(KEYS[i], -2) ~= ':*' then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
`;

/** KEYS record tags…; ARGV gen ttlMs stamps…. Answers the epoch, the writers that were running then and, per tag, {stamp, fence, ff}. */
export const readTags = `${prelude}${stamps}
local record = redis.call('HMGET', KEYS[1], 'epoch', 'writers')
local out = { record[1], record[2] or '' }
for i = 2, #KEYS do
  ensureStamp(KEYS[i], ARGV[i + 1], string.sub(KEYS[i], -2) == ':*' and 0 or tonumber(ARGV[2]))
  local h = redis.call('HMGET', KEYS[i], 'stamp', 'fence', 'ff')
  out[#out + 1] = { h[1], h[2] or '', h[3] or '0' }
end
return out
`;

/** KEYS record tags…; ARGV gen. Answers each tag's stamp, or '' where it is absent or a writer is pending. */
export const verify = `${prelude}
local out = {}
for i = 2, #KEYS do
  local h = redis.call('HMGET', KEYS[i], 'stamp', 'pend')
  out[#out + 1] = (h[1] and (h[2] or '') == '') and h[1] or ''
end
return out
`;
