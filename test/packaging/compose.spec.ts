import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { settingDefinitions } from '../../src/config/index.js';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const { services } = parse(text, { merge: true }) as { services: Readonly<Record<string, Service>> };
const yaml = <T>(path: string): T => parse(readFileSync(path, 'utf8')) as T;
const nodes = Object.keys(services).filter((name) => name.startsWith('app-'));

describe('the compose file', () => {
  it('is one, by the schema of today; what is none would be missed', () => {
    // That ports are bound to an address is checked with containers; here it is a variable.
    const rules = ['--quiet', '--disable-rule', 'no-unbound-port-interfaces'];
    const lint = (file: string) => spawnSync('node_modules/.bin/dclint', [file, ...rules], { encoding: 'utf8' });
    const { status, stdout } = lint('docker-compose.yml');
    expect([status, stdout.trim()]).toEqual([0, '']);
    const folder = mkdtempSync(join(tmpdir(), 'strata-compose-'));
    writeFileSync(join(folder, 'compose.yml'), text.replace('stop_grace_period', 'stop_grace_time'));
    const wrong = lint(join(folder, 'compose.yml'));
    rmSync(folder, { recursive: true });
    expect([wrong.status, wrong.stdout]).toEqual([1, expect.stringContaining('invalid-schema')]);
  });

  it('has two nodes, each published', () => {
    expect(nodes).toEqual(['app-1', 'app-2']);
    const ports = nodes.map((name) => services[name]!.ports);
    expect(new Set(ports.flat()).size).toBe(2);
  });

  it('sets what the service understands', () => {
    const known = new Set(settingDefinitions().map(({ name }) => name));
    const unknown = nodes
      .flatMap((name) => Object.keys(services[name]!.environment!))
      .filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });

  it('reads only variables that .env.example explains, or that are for tests', () => {
    const example = readFileSync('.env.example', 'utf8');
    const read = new Set([...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name!));
    expect([...read].filter((name) => !example.includes(`#${name}=`))).toEqual(['STRATA_IMAGE']);
  });

  it('mounts what is there', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]!),
    );
    const paths = mounted.filter((path) => path.startsWith('.'));
    expect(paths.length).toBe(3);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('knows when everything that goes on is healthy; the image says so of the nodes', () => {
    const without = Object.entries(services).filter(([, { healthcheck }]) => !healthcheck);
    expect(without.map(([name]) => name)).toEqual(nodes);
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(/^HEALTHCHECK /m);
  });

  it('is what Prometheus and Grafana are told of', () => {
    type Scrape = { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    const [scrape] = yaml<Scrape>('ops/prometheus/prometheus.yml').scrape_configs;
    expect(scrape!.static_configs[0]!.targets).toEqual(nodes.map((name) => `${name}:3000`));
    const source = yaml<{ datasources: { url: string }[] }>('ops/grafana/provisioning/datasources/prometheus.yml');
    expect(new URL(source.datasources[0]!.url).hostname in services).toBe(true);
    const provider = yaml<{ providers: { options: { path: string } }[] }>(
      'ops/grafana/provisioning/dashboards/strata.yml',
    );
    const { path } = provider.providers[0]!.options;
    expect(services['grafana']!.volumes).toContain(`./ops/grafana/dashboards:${path}:ro`);
    expect(services['grafana']!.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(`${path}/strata.json`);
  });

  it('runs images of one version each', () => {
    const images = Object.values(services).map(({ image }) => image);
    expect(images.filter((image) => !/:\$\{?|:v?\d[\w.-]*|strata/.test(image) || image.endsWith(':latest'))).toEqual(
      [],
    );
  });
});
