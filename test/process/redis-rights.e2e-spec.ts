import { restrictedNode } from '../support/restricted-node.js';

describe('a node whose Redis refuses it something', () => {
  const { acl, cutOff, reasonIs, serves, warnings } = restrictedNode();

  it.each<[string, string[], RegExp]>([
    ['scripts', ['-@scripting'], /grant it \+eval \+script\|load \+evalsha/],
    ['EVALSHA', ['-evalsha'], /\+evalsha$/],
    ['EVAL', ['-eval'], /\+eval$/],
    ['INFO', ['-info'], /\+info$/],
    ['some of what scripts use', ['-time', '-publish', '-hmget'], /grant it \+time \+publish \+hmget$/],
    ['every write', ['-@write'], /\+hset.*\+set/],
    ['its keys', ['resetkeys', '~app:*'], /~strata:\* ~\{strata:\*/],
    ['its channels', ['resetchannels'], /&strata:\*/],
    ['PING', ['-ping'], /\+ping$/],
  ])('names every right that is missing when its user loses %s, and serves on', async (what, rules, reason) => {
    await acl(...rules);
    // What is needed on a new connection only is missed there.
    if (/EVAL$|INFO/.test(what)) await cutOff();
    await serves();
    await reasonIs('redis', reason);
    await serves();
    expect(warnings().some((line) => reason.test((JSON.parse(line) as { msg: string }).msg))).toBe(true);
  });
});
