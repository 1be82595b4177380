/**
 * The same text, of characters below U+0100, in a place of its own. A text that was put together or cut out goes on keeping
 * what it comes from; and on the way of a hit, each further place in memory costs as much as a look in a table.
 */
export const flattenString = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('latin1');
