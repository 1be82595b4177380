// @ts-check

/**
 * A copy of an object without one of its properties.
 * @template {object} T
 * @template {keyof T} K
 * @param {T} object @param {K} name
 * @returns {Omit<T, K>}
 */
export function without(object, name) {
  const copy = { ...object };
  delete copy[name];
  return copy;
}
