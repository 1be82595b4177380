const skippable = new WeakSet<object>();

/**
 * Marks a middleware, or a class of guards or interceptors, that an answer which was given before may go past, as those of
 * the fast lane do: it lets everybody through who asks the same, and nothing has to be done for each request.
 */
export function markSkippable<Step extends object>(step: Step): Step {
  skippable.add(step);
  return step;
}

/** Takes the mark back. */
export const unmarkSkippable = (step: object): void => void skippable.delete(step);

/** The same as a decorator. */
export const Skippable = (): ClassDecorator => (type) => void markSkippable(type);

/** @param step a function, a class, or an instance of one */
export const isSkippable = (step: object): boolean => skippable.has(step) || skippable.has(step.constructor);
