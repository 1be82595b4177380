// @ts-check
/**
 * What Node is given to run the service: `npm start`, `npm run start:prod`, the image and every node that is measured or
 * verified run with the same.
 *
 * A collection of the young generation stands still for about a millisecond, however little survives; how much garbage V8
 * lets come together before one depends on Node's version and on the machine's memory (Node 20: up to 16 MiB, Node 24: 1 to
 * 64). With 32 MiB they are rare enough that the 99th percentile does not meet them. The young generation may then take up
 * to three times as much: 96 MiB.
 */
export const nodeFlags = ['--max-semi-space-size=32'];
