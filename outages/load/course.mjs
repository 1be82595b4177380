// @ts-check
/** How finely the course of the answers is told, in ms. */
export const courseMs = 50;
