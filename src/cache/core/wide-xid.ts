/**
 * A transaction id as 64 bits. pgoutput and pg_locks have the low 32 of them; meant is the id that is nearest to one that
 * was current a moment ago.
 * @see https://www.postgresql.org/docs/current/transaction-id.html
 */
export function wideXid(xid: number, current: bigint): bigint {
  return current + BigInt.asIntN(32, BigInt(xid) - current);
}
