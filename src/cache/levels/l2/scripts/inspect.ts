/**
 * KEYS record hashes…; ARGV gen fields…. Answers, per hash, {ms left or negative, the fields' values}, after Redis's own
 * clock in ms. It leaves no ticket and makes no stamp: looking at an entry changes nothing.
 */
export const inspect = `#!lua flags=no-writes
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then
  return redis.error_reply('EPOCHCHANGED the data set has another generation')
end
local t = redis.call('TIME')
local out = { t[1] * 1000 + math.floor(t[2] / 1000) }
for i = 2, #KEYS do
  out[i] = { redis.call('PTTL', KEYS[i]), redis.call('HMGET', KEYS[i], unpack(ARGV, 2)) }
end
return out
`;
