import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

export const root = join(__dirname, '..', '..');

/** One import or re-export, type-only ones included: a type ties two files together as well. */
export interface Import {
  readonly from: string;
  /** The imported file, relative to the checkout: `src/cache/index.ts`. */
  readonly to: string;
}

export interface SourceFile {
  /** Relative to the checkout, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Where the file reads the environment: `src/main.ts:12`. */
  readonly environmentReads: readonly string[];
  /** Everything that is code and not comment: identifiers and the text of literals. */
  readonly words: readonly string[];
  /** The texts of string literals. */
  readonly literals: readonly string[];
}

/** Every TypeScript file below a folder of the checkout. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => parse(path, readFileSync(join(root, path), 'utf8')));
}

export function parse(path: string, text: string): SourceFile {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const environmentReads: string[] = [];
  const words: string[] = [];
  const literals: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = importedBy(node);
    if (specifier?.startsWith('.')) imports.push({ from: path, to: resolve(path, specifier) });
    if (readsEnvironment(node)) {
      environmentReads.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`);
    }
    if (ts.isIdentifier(node) || isText(node)) words.push(node.text);
    if (ts.isStringLiteral(node)) literals.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, lines: text.trimEnd().split('\n').length, imports, environmentReads, words, literals };
}

/** Groups of files that import each other in a circle (Tarjan 1972: the strongly connected components). */
export function cycles(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map(({ path, imports }) => [path, imports.map(({ to }) => to)]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const lower = (path: string, value: number) => low.set(path, Math.min(low.get(path) ?? value, value));

  const connect = (path: string): void => {
    index.set(path, index.size);
    lower(path, index.size - 1);
    stack.push(path);
    for (const to of imports.get(path) ?? []) {
      if (!imports.has(to)) continue;
      if (!index.has(to)) {
        connect(to);
        lower(path, low.get(to) ?? 0);
      } else if (stack.includes(to)) lower(path, index.get(to) ?? 0);
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1 || imports.get(path)?.includes(path)) found.push(group);
  };

  for (const path of imports.keys()) if (!index.has(path)) connect(path);
  return found;
}

function importedBy(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isExternalModuleReference(node)) return textOf(node.expression);
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  if (ts.isCallExpression(node) && isLoader(node.expression)) return textOf(node.arguments[0]);
  return undefined;
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/** `process.env`, `process['env']`, `const { env } = process`, `import { env } from 'node:process'`. */
function readsEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ts.isElementAccessExpression(node)) return isProcess(node.expression);
  if (ts.isVariableDeclaration(node)) return ts.isObjectBindingPattern(node.name) && isProcess(node.initializer);
  return ts.isImportDeclaration(node) && ['process', 'node:process'].includes(textOf(node.moduleSpecifier) ?? '');
}

function isProcess(node: ts.Node | undefined): boolean {
  return node !== undefined && ts.isIdentifier(node) && node.text === 'process';
}

function isText(node: ts.Node): node is ts.LiteralLikeNode {
  return ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node);
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** ESM names the compiled file; the source is its `.ts`. */
function resolve(from: string, specifier: string): string {
  return relative(root, join(root, from, '..', specifier))
    .replaceAll('\\', '/')
    .replace(/\.js$/, '.ts');
}
