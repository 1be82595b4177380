import { ask } from './api.js';
import { byId, fill, html } from './dom.js';

const path = '/admin/cache/policies/items';

/** Shows under which policy items are, and switches it. */
export function startPolicy() {
  const box = byId('policy-choices');
  const guarantee = byId('guarantee');
  let inForce = '';
  let switching = false;

  /** @type {HTMLInputElement[]} */
  let radios = [];

  /** @param {{ policy: string, guarantee: string, choices: string[] }} view */
  const show = (view) => {
    inForce = view.policy;
    if (radios.length === 0) {
      radios = view.choices.map((value) => html('input', { type: 'radio', name: 'policy', value }));
      fill(box, ...radios.map((radio) => html('label', {}, radio, html('span', {}, radio.value))));
    }
    for (const radio of radios) radio.checked = radio.value === view.policy;
    const parts = view.guarantee.split('`').map((part, at) => (at % 2 === 1 ? html('code', {}, part) : part));
    fill(guarantee, html('strong', {}, 'A reader can rely on: '), ...parts);
  };
  const load = async () => show(await (await ask('GET', path)).json());

  box.addEventListener('change', async (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    switching = true;
    guarantee.textContent = `Switching to ${value} on every node …`;
    try {
      show(await (await ask('PUT', path, { policy: value })).json());
    } catch (error) {
      for (const radio of radios) radio.checked = radio.value === inForce;
      guarantee.textContent = /** @type {Error} */ (error).message;
    } finally {
      switching = false;
    }
  });

  return {
    load,
    /** Somebody else may have switched it. @param {string | undefined} policy */
    inForce(policy) {
      if (policy !== undefined && policy !== inForce && inForce !== '' && !switching) load().catch(() => undefined);
    },
  };
}
