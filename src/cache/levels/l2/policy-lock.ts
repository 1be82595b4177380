/**
 * The advisory lock between writers (shared, for their whole transaction) and policy switches (exclusive). Taken when a
 * transaction begins, before any row is locked, so that a switch can never wait in a circle with two writers. Whoever
 * holds it and has an id may have fenced, which a new generation asks about.
 */
export const policyLockId = 0x5472_6174;
