// @ts-check
/** @param {import('../main.mjs').Findings} findings */
export const page = (findings) => String(findings.seed);
