/** More work is waiting for the database than may. Its code is PostgreSQL's "too many connections". */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusyError';
  readonly code = '53300';

  constructor(waiting: number) {
    super(`${waiting} others are waiting for a connection to the database`);
  }
}
