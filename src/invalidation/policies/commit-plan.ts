/** What is to be done once the outermost transaction has ended. Nothing here throws. */
export interface CommitPlan {
  committed(): Promise<void>;
  /** COMMIT was sent and not answered. */
  unknown(): Promise<void>;
  /** It was certainly rolled back. */
  rolledBack(): Promise<void>;
}

export const nothingToDo: CommitPlan = {
  committed: () => Promise.resolve(),
  unknown: () => Promise.resolve(),
  rolledBack: () => Promise.resolve(),
};
