/**
 * KEYS hash set text; ARGV channel. Tries every command that the scripts and this service use. Answers those that are
 * refused, each with the reason; what it leaves behind expires.
 */
export const tryCommands = `#!lua
local refused = {}
local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = { command, answer.err } end
end
local hash, set, text = KEYS[1], KEYS[2], KEYS[3]
try('ping')
try('time')
try('publish', ARGV[1], '')
try('del', hash, set, text)
try('hset', hash, 'a', '1', 'b', '1')
try('hget', hash, 'a')
try('hmget', hash, 'a', 'b')
try('hgetall', hash)
try('hkeys', hash)
try('hlen', hash)
try('hexists', hash, 'a')
try('hincrby', hash, 'a', 1)
try('hdel', hash, 'b')
try('pexpire', hash, 1000)
try('pttl', hash)
try('sadd', set, 'a')
try('sismember', set, 'a')
try('pexpire', set, 1000)
try('set', text, '1', 'NX', 'PX', 1000)
try('get', text)
try('unlink', hash, set, text)
try('scan', '0')
return refused
`;
