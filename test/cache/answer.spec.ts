import { hit } from '../../src/cache/engine/answer.js';

const entry = { body: '1', dependencies: [{ tag: 'things:1', stamp: '' }], freshMs: 500, keepMs: 500 };

it('vouches for what it is made of only where somebody has proven it', () => {
  expect(hit('l1', entry, 'invalidate').dependencies).toEqual(entry.dependencies);
  expect(hit('l1', { ...entry, blind: true }, 'invalidate').dependencies).toBeUndefined();
});
