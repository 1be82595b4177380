import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { faultsOf, type Manifest } from './against-types.js';

const folder = 'ops/kubernetes';
const manifests = readdirSync(folder)
  .filter((name) => name !== 'kustomization.yaml')
  .map((name) => parse(readFileSync(`${folder}/${name}`, 'utf8')) as Manifest);

it('every manifest fits the types of the Kubernetes API, and a manifest that does not fit is found', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { label: {} }, spec: { ports: [{ port: 'http' }] } };
  const incomplete = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { template: {} } };
  const found = faultsOf([...manifests, service, incomplete]);
  expect(found.slice(0, -2).flat()).toEqual([]);
  expect(found.at(-2)!.join()).toMatch(/label\W+ does not exist.*'string' is not assignable to type 'number'/);
  expect(found.at(-1)!.join()).toMatch(/selector\W+ is missing/);
});
