// @ts-check
/**
 * What Node is given to run the service: `npm start`, `npm run start:prod`, the image and every node that is measured or
 * verified run with the same.
 *
 * A collection of the young generation stands still for about as long as the heap has pages, however little survives, and
 * V8 makes room for 1 to 16 MiB of garbage between two of them: some hundred requests. With 32 MiB they are rare enough that
 * the 99th percentile does not meet them. It costs up to three times as much memory.
 */
export const nodeFlags = ['--max-semi-space-size=32'];
