import { prelude } from './parts.js';

/**
 * KEYS init record; ARGV nonce ttl gen. Takes the right to begin a generation, unless somebody holds it or the one in force
 * is not the caller's ('': none), and ends that one.
 */
export const claimGeneration = `#!lua
if (redis.call('HGET', KEYS[2], 'gen') or '') ~= ARGV[3] then return 0 end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('DEL', KEYS[2])
return 1
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

/** KEYS record; ARGV gen epoch: no load is accepted any more that does not see this transaction. */
export const raiseEpoch = `${prelude}
if tonumber(redis.call('HGET', KEYS[1], 'epoch')) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'epoch', ARGV[2]) end
return 1
`;

/** KEYS record nodes; ARGV gen node channel message: (re-)registers a node, raises its count, answers on the channel. */
export const beat = `${prelude}
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
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
