/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * The element of that id. What the page's own HTML promises is there.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function html(name, attributes = {}, ...children) {
  return /** @type {HTMLElementTagNameMap[Name]} */ (dress(document.createElement(name), attributes, children));
}

/**
 * @param {string} name
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  return dress(element, attributes, children);
}

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} element
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {Child[]} children
 */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  element.append(...shown(children));
  return element;
}

/** @param {Child[]} children */
const shown = (children) =>
  children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => /** @type {Node | string} */ (typeof child === 'number' ? String(child) : child)); // prettier-ignore

/** @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

/** In pixels. A window may be narrower than anything can be drawn in, if only while it changes. @param {Element} box */
export const widthToDraw = (box) => Math.max(200, box.clientWidth);

/** Sizes that follow from numbers: a style attribute would be against the page's own policy. @param {HTMLElement} element @param {Record<string, string>} values */
export function size(element, values) {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value);
  return element;
}
