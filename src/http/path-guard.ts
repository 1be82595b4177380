import { type Request, type Response } from 'express';

/** Stands before a part of the paths, whoever serves them. Asked before any body is read. */
export interface PathGuard {
  /** The path is to be treated as one that nobody knows. */
  hides(path: string): boolean;
  /** Called once path and method are known to exist. @throws {ProblemException} 401, 403 */
  admit(req: Request, res: Response): void;
}

/** For applications that guard nothing. */
export const openToAll: PathGuard = { hides: () => false, admit: () => undefined };
