import { prelude } from './parts.js';

/**
 * KEYS init record; ARGV nonce ttl gen channel. Takes the right to begin a generation, unless somebody holds it or the one
 * in force is not the caller's ('': none). Ends that one, and tells every node, in the same step: from here on no L1 serves.
 */
export const claimGeneration = `#!lua
if (redis.call('HGET', KEYS[2], 'gen') or '') ~= ARGV[3] then return 0 end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[4], '!' .. ARGV[3])
return 1
`;

/** KEYS init; ARGV nonce ttl: keeps the caller's right for longer; a ttl of 0 gives it back, so that nobody waits for it. */
export const holdClaim = `#!lua
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/**
 * KEYS init record; ARGV nonce gen epoch channel identities… (field, value). Begins a generation, and says so, if the right
 * to is still ours.
 */
export const installGeneration = `#!lua
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local t = redis.call('TIME')
redis.call('HSET', KEYS[2], 'gen', ARGV[2], 'epoch', ARGV[3], 'born',
  string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return 1
`;

/**
 * KEYS record beats; ARGV gen node least count started lsn channel. Raises a node's count, and notes when PostgreSQL was
 * started and how far its log is. A count that is less than the node has written, or a replication id that is not the
 * recorded one, shows that older data have taken the place of newer ones: then the generation ends. Answers
 * `maxmemory-policy`, nil where the server does not say it.
 */
export const prove = `${prelude}
local counted = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
local back = counted < tonumber(ARGV[3])
local recorded = redis.call('HGET', KEYS[1], 'master_replid')
local info = redis.pcall('INFO', 'replication', 'memory')
if type(info) ~= 'string' then info = '' end
if recorded and recorded ~= '' then
  local now = string.match(info, 'master_replid:(%x+)')
  back = back or (now and now ~= recorded)
end
if back then
  redis.call('DEL', KEYS[1])
  redis.call('PUBLISH', ARGV[7], '!' .. ARGV[1])
  return redis.error_reply('EPOCHCHANGED the data set has gone back')
end
-- One that is executed late lowers nothing.
if tonumber(ARGV[4]) > counted then redis.call('HSET', KEYS[2], ARGV[2], ARGV[4]) end
if ARGV[5] ~= '' and ARGV[5] ~= redis.call('HGET', KEYS[1], 'pg_started') then
  redis.call('HSET', KEYS[1], 'pg_started', ARGV[5])
end
if tonumber(ARGV[6]) > tonumber(redis.call('HGET', KEYS[1], 'pg_lsn') or '0') then
  redis.call('HSET', KEYS[1], 'pg_lsn', ARGV[6])
end
return string.match(info, 'maxmemory_policy:(%S+)')
`;

/** KEYS record; ARGV gen epoch: no load is accepted any more that does not see this transaction. */
export const raiseEpoch = `${prelude}
if tonumber(redis.call('HGET', KEYS[1], 'epoch')) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'epoch', ARGV[2]) end
return 1
`;

/**
 * KEYS record nodes; ARGV gen node channel message register. Answers on the channel, behind every earlier message: the
 * caller's generation is still in force. Where writers wait for the node ('1'), registers it and raises its count.
 */
export const beat = `${prelude}
if ARGV[5] == '1' then redis.call('HINCRBY', KEYS[2], ARGV[2], 1) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
`;

/** KEYS record nodes; ARGV gen node count: a silent node is forgotten, unless it has been heard of since. */
export const forgetNode = `${prelude}
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[3] then return 0 end
return redis.call('HDEL', KEYS[2], ARGV[2])
`;

/** KEYS record keys…; ARGV gen. Removes keys of earlier generations, as long as the caller's is the one in force. */
export const sweep = `${prelude}
return redis.call('UNLINK', unpack(KEYS, 2))
`;
