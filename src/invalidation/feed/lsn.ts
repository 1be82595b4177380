/** A position in the write-ahead log, as PostgreSQL prints it: `16/B374D848`. */
export type Lsn = string;

export function before(lsn: Lsn): Lsn {
  const [high = '0', low = '0'] = lsn.split('/');
  const position = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
  const previous = position > 0n ? position - 1n : 0n;
  return `${(previous >> 32n).toString(16)}/${(previous & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
