import { readdirSync, readFileSync } from 'node:fs';
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(path, 'utf8');
const folder = '.github/workflows';
const workflows = readdirSync(folder);
const { scripts, engines, license } = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly license: string;
};

interface Job {
  readonly steps: readonly { readonly run?: string }[];
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string | number>>[] } };
}

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly { readonly type: string; readonly attributes: object }[];
}

function faultsOf(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

const { full, versions } = (parse(read(`${folder}/check.yml`)) as { readonly jobs: Record<'full' | 'versions', Job> })
  .jobs;
const commandsOf = ({ steps }: Job): string[] => steps.flatMap(({ run }) => (run === undefined ? [] : [run.trim()]));

describe('the workflows', () => {
  it.each(workflows)('%s is a workflow by the schema of GitHub', (name) => {
    expect(faultsOf(name, read(`${folder}/${name}`))).toEqual([]);
  });

  it('a workflow with a misspelt key is found', () => {
    const misspelt = read(`${folder}/check.yml`).replace('    steps:', '    stages:');
    expect(faultsOf('check.yml', misspelt).join()).toMatch(/stages/);
  });

  it('run what .ci/run runs', () => {
    expect(commandsOf(full).at(-1)).toMatch(/bash \.ci\/run$/);
    expect(read('.ci/run')).toContain('npm run check:full');
    expect(scripts['check:full']).toMatch(/^npm run check && /);
    expect(scripts['check:full']).toContain('npm run proof -- --sample');
    expect(commandsOf(versions).slice(-2)).toEqual(['npm ci', 'npm run check']);
  });

  it('try every supported version of Node, PostgreSQL and Redis', () => {
    const tried = (name: string) => new Set(versions.strategy!.matrix.include.map((row) => row[name]));
    expect(tried('node')).toEqual(new Set([20, 22, 24, 26]));
    expect(tried('postgres')).toEqual(new Set([15, 18]));
    expect(tried('redis')).toEqual(new Set(['redis:7', 'redis:8', 'valkey/valkey:8']));
    expect(engines.node).toMatch(/^>=20\./);
  });
});

it('the version of Node for developers is that of the image', () => {
  expect(read('Dockerfile')).toContain(`FROM node:${read('.nvmrc').trim()}-`);
});

it('the licence is the one that package.json names', () => {
  expect(read('LICENSE')).toMatch(new RegExp(`^${license} License`));
});

it('dependencies of every ecosystem are kept up to date', () => {
  const { version, updates } = parse(read('.github/dependabot.yml')) as {
    readonly version: number;
    readonly updates: readonly Readonly<Record<'package-ecosystem' | 'directory', string>>[];
  };
  expect(version).toBe(2);
  const ecosystems = updates.map((update) => update['package-ecosystem']);
  expect(ecosystems).toEqual(['npm', 'github-actions', 'docker', 'docker-compose']);
});

it.each(readdirSync('.github/ISSUE_TEMPLATE').filter((name) => name !== 'config.yml'))(
  'the issue form %s has a name, a description and fields with labels',
  (name) => {
    const { name: title, description, body } = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as Form;
    expect([title, description].every((text) => text.length > 0)).toBe(true);
    const fields = body.filter(({ type }) => type !== 'markdown');
    expect(fields.length).toBeGreaterThan(0);
    for (const { type, attributes } of fields) {
      expect(type).toMatch(/^(input|textarea|dropdown|checkboxes)$/);
      expect(attributes).toHaveProperty('label');
    }
  },
);
