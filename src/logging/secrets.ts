/** Blanks the password of every `scheme://user:password@host` in a text; a JSON text stays one. */
export function withoutPasswords(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s/@"]+@/gi, '$1:***@');
}
