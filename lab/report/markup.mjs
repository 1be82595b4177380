// @ts-check
/** @typedef {Record<string, string | number | undefined>} Attributes an undefined one is left out */

/** @param {string} text */
export const escape = (text) =>
  text.replace(/[&<>"]/g, (found) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[found] ?? found);

/**
 * An element of HTML or SVG, well-formed also as XML. Children are markup: text is to be escaped.
 * @param {string} name
 * @param {Attributes} [attributes]
 * @param {string | readonly string[]} [children]
 */
export function element(name, attributes = {}, children = []) {
  const text = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${escape(typeof value === 'number' ? String(round(value)) : value)}"`,
  );
  const content = typeof children === 'string' ? children : children.join('');
  return content === '' && empty.has(name)
    ? `<${name}${text.join('')}/>`
    : `<${name}${text.join('')}>${content}</${name}>`;
}

const empty = new Set(['meta', 'br', 'line', 'rect', 'circle', 'path', 'polyline']);

/** A tenth of a pixel is enough. @param {number} value */
export const round = (value) => Math.round(value * 10) / 10;

/** @param {number} x @param {number} y @param {string} text @param {Attributes} [attributes] */
export const label = (x, y, text, attributes = {}) => element('text', { x, y, ...attributes }, escape(text));

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {Attributes} [attributes] */
export const line = (x1, y1, x2, y2, attributes = {}) => element('line', { x1, y1, x2, y2, ...attributes });

/**
 * A picture that says what it is to those who do not see it.
 * @param {{ id: string, className: string, width: number, height: number, title: string, says: string }} of
 * @param {readonly string[]} children
 */
export const picture = ({ id, className, width, height, title, says }, children) =>
  element(
    'svg',
    {
      ...{ xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${round(width)} ${round(height)}`, class: className },
      ...{ role: 'img', 'aria-labelledby': `${id}-title ${id}-says` },
    },
    [
      element('title', { id: `${id}-title` }, escape(title)),
      element('desc', { id: `${id}-says` }, escape(says)),
      ...children,
    ],
  );

/** @param {string} id @param {string} title @param {readonly string[]} children */
export const section = (id, title, children) =>
  element('section', { 'aria-labelledby': id }, [element('h2', { id }, escape(title)), ...children]);
