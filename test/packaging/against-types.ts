import ts from 'typescript';

/** A Kubernetes object, as far as it says what it is. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

const options: ts.CompilerOptions = {
  ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es2015.d.ts'] },
  ...{ module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Bundler, ignoreDeprecations: '6.0' },
};

/**
 * What the compiler says of each object, written down as a literal of the type which Kubernetes' own OpenAPI document
 * describes: missing fields, wrong types, and fields that there are not.
 */
export function faultsOf(manifests: readonly Manifest[]): string[][] {
  const sources = new Map(manifests.map((manifest, n) => [`manifest-${n}.ts`, literal(manifest)]));
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...sources.keys()], options, {
    ...host,
    fileExists: (name) => sources.has(name) || host.fileExists(name),
    getSourceFile: (name, version) => {
      const source = sources.get(name);
      return source === undefined ? host.getSourceFile(name, version) : ts.createSourceFile(name, source, version);
    },
  });
  return [...sources.keys()].map((name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')),
  );
}

const literal = (manifest: Manifest): string =>
  `import { type I${manifest.kind} as Type } from 'kubernetes-models/${manifest.apiVersion}';
export const manifest: Type = ${JSON.stringify(manifest)};`;
