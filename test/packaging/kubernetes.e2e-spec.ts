import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { loadSettings } from '../../src/config/index.js';
import { startApp, type TestApp } from '../support/start-app.js';

const folder = 'ops/kubernetes';
const read = <T = unknown>(name: string): T => parse(readFileSync(`${folder}/${name}`, 'utf8')) as T;
type Labels = Readonly<Record<string, string>>;
/** What stands at a place: `at('service.yaml', 'spec.ports.0.port')`. */
const at = <T>(name: string, path: string): T =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], read(name)) as T;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

const kustomization = read<{ resources: string[]; images: { name: string }[] }>('kustomization.yaml');
const config = read<{ data: Labels }>('configmap.yaml').data;
const secret = read<{ stringData: Labels }>('secret.example.yaml').stringData;
const pod = 'spec.template.spec';
const container = at<Container>('deployment.yaml', `${pod}.containers.0`);
const annotations = at<Labels>('deployment.yaml', 'spec.template.metadata.annotations');
const settings = loadSettings({ NODE_ENV: 'production', ...config, ...secret });
/** Of connections, at the very end: `src/main.ts`. */
const closeSeconds = 5;
const megabytes = (text: string) => Number(/^(\d+)Mi$/.exec(text)?.[1]) * 2 ** 20;

describe('the Kubernetes manifests', () => {
  it('are all applied, but for the example', () => {
    const files = readdirSync(folder).filter((name) => !['kustomization.yaml', 'secret.example.yaml'].includes(name));
    expect([...kustomization.resources].sort()).toEqual(files.sort());
  });

  it('set what the service understands, to values that it accepts', () => {
    const known = loadSettings({ DATABASE_URL: secret['DATABASE_URL'] });
    expect(Object.keys({ ...config, ...secret }).sort()).toEqual([
      ...['ADMIN_TOKEN', 'CACHE_POLICY', 'DATABASE_URL', 'DRAIN_DELAY_MS', 'LOG_LEVEL', 'REDIS_URL', 'WARM_AT_BOOT'],
    ]);
    expect([settings.warmAtBoot, settings.drainDelayMs, settings.cachePolicy]).toEqual([
      'recent',
      0,
      known.cachePolicy,
    ]);
  });

  it('mean the same pods', () => {
    const labels = at<Labels>('deployment.yaml', 'spec.template.metadata.labels');
    const selectors = [
      at('deployment.yaml', 'spec.selector.matchLabels'),
      at('deployment.yaml', `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels`),
      at('service.yaml', 'spec.selector'),
      at('poddisruptionbudget.yaml', 'spec.selector.matchLabels'),
    ];
    for (const selector of selectors) expect(selector).toEqual(labels);
    const job = at<Labels>('migrate.yaml', 'spec.template.metadata.labels');
    const everyone = at<Labels>('networkpolicy.yaml', 'spec.podSelector.matchLabels');
    for (const each of [labels, job]) expect(each).toMatchObject(everyone);
    // The service sends nobody to the migration.
    expect(job['app.kubernetes.io/component']).not.toBe(labels['app.kubernetes.io/component']);
  });

  it('run the image as it is made', () => {
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    const [port] = container.ports;
    expect(port!.containerPort).toBe(Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]));
    expect(annotations['prometheus.io/port']).toBe(String(port!.containerPort));
    const ports = [
      at('service.yaml', 'spec.ports.0.targetPort'),
      at('networkpolicy.yaml', 'spec.ingress.0.ports.0.port'),
    ];
    expect(ports).toEqual([port!.name, port!.name]);
    const command = at<string[]>('migrate.yaml', `${pod}.containers.0.command`);
    expect(dockerfile).toContain(command.join(' '));
    expect(container.image).toBe(kustomization.images[0]?.name);
    expect(at('deployment.yaml', `${pod}.securityContext.runAsUser`)).toBe(1000);
  });

  it('leave time to drain, and memory for L1', () => {
    const preStop = at<number>('deployment.yaml', `${pod}.containers.0.lifecycle.preStop.sleep.seconds`);
    const seconds = preStop + (settings.drainDelayMs + settings.drainTimeoutMs) / 1_000 + closeSeconds;
    expect(at('deployment.yaml', `${pod}.terminationGracePeriodSeconds`)).toBeGreaterThan(seconds);
    const limit = at<string>('deployment.yaml', `${pod}.containers.0.resources.limits.memory`);
    expect(megabytes(limit)).toBeGreaterThan(4 * settings.cacheL1MaxBytes);
  });

  describe('the probes', () => {
    let app: TestApp;
    beforeAll(async () => (app = await startApp()));
    afterAll(() => app.close());

    it('and Prometheus ask what is there', async () => {
      const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
      const paths = probes.map(({ httpGet }) => httpGet.path);
      for (const path of [...paths, annotations['prometheus.io/path']!]) await app.http.get(path).expect(200);
      for (const { httpGet } of probes) expect(httpGet.port).toBe(container.ports[0]!.name);
    });
  });
});
