// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { run } from '../run.mjs';

const bundle = '/etc/ssl/certs/ca-certificates.crt';

/** @returns {string} such as `bookworm` */
export function release() {
  const name = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!name) throw new Error('this distribution has no code name in /etc/os-release');
  return name;
}

/**
 * Where this machine gets its own packages.
 * @returns {Promise<string[]>} one address, or none: debootstrap then takes its default
 */
export async function mirror() {
  const format = ['--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages'];
  const targets = await run('apt-get', ['indextargets', ...format]).catch(() => '');
  const uri = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([name, address]) => name === release() && /^(https?|file):/.test(address ?? ''))?.[1];
  return uri ? [uri] : [];
}

/** @returns {string} the certificates this machine trusts, those added for Node.js only included */
export function certificates() {
  const files = new Set([bundle, process.env.SSL_CERT_FILE, process.env.NODE_EXTRA_CA_CERTS]);
  const texts = [...files].filter((file) => file && existsSync(file)).map((file) => readFileSync(file ?? '', 'utf8'));
  return texts.join('\n');
}

/** @returns {Promise<string>} where npm looks for packages, and how it gets there; no credentials */
export async function npmSettings() {
  const get = (/** @type {string} */ key) => run('npm', ['config', 'get', key]).catch(() => 'null');
  const settings = [`cafile=${bundle}`, 'update-notifier=false'];
  for (const key of ['registry', 'proxy', 'https-proxy', 'noproxy']) {
    const value = await get(key);
    if (!['', 'null', 'undefined'].includes(value)) settings.push(`${key}=${value}`);
  }
  return `${settings.join('\n')}\n`;
}

/** @returns {Promise<string>} the proxies of this machine's apt, in its own notation */
export const aptProxies = () => run('apt-config', ['dump', 'Acquire::http::Proxy', 'Acquire::https::Proxy']);
