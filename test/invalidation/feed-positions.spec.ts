import { before } from '../../src/invalidation/feed/lsn.js';
import { wideXid } from '../../src/cache/core/wide-xid.js';

it.each([
  ['near the beginning', 5, 7n, 5n],
  ['of the running epoch', 0x0000_0010, 0x3_0000_0020n, 0x3_0000_0010n],
  ['of the epoch before', -16, 0x3_0000_0020n, 0x2_ffff_fff0n],
  ['not yet in the snapshot', 3, 0x2_ffff_fff0n, 0x3_0000_0003n],
])('a 32-bit transaction id %s is widened to the nearest', (_, xid, current, wide) => {
  expect(wideXid(xid, current)).toBe(wide);
});

it.each([
  ['0/1B', '0/1A'],
  ['16/0', '15/FFFFFFFF'],
  ['0/0', '0/0'],
])('before %s comes %s', (lsn, previous) => {
  expect(before(lsn)).toBe(previous);
});
