import { ask } from './api.js';
import { byId } from './dom.js';

/** @typedef {import('./api.js').Refusal} Refusal */

/** The cookie is not for scripts to see: this remembers only that there is one, and until when. */
const note = 'strata-signed-in-until';
const lastsMs = 8 * 60 * 60 * 1000;

const isNoted = () => Number(localStorage.getItem(note) ?? 0) > Date.now();

/**
 * Signing in and out.
 * @param {{ opened: () => void, closed: () => void }} told
 */
export function keepSession({ opened, closed }) {
  const fault = byId('sign-in-fault');
  /** @type {HTMLFormElement} */
  const form = byId('sign-in');
  /** @type {HTMLInputElement} */
  const token = byId('token');
  let open = false;
  /** @type {boolean | undefined} */
  let exists;

  const show = () => {
    byId('open').hidden = !open;
    byId('queues').hidden = !open;
    byId('sign-out').hidden = !open;
    byId('closed').hidden = open;
    form.hidden = exists !== true;
    byId('closed-text').textContent = exists
      ? 'The numbers above are for everyone. Keys, events, the inspector and the buttons to try things are for whoever has the admin token.'
      : 'The numbers above are for everyone. The rest needs an admin token, and this service was started without one: set ADMIN_TOKEN (at least 16 characters) and start it again.';
  };
  const enter = () => {
    if (open) return;
    open = true;
    show();
    opened();
  };
  const leave = () => {
    localStorage.removeItem(note);
    const was = open;
    open = false;
    show();
    if (was) closed();
  };

  /** Whether the session still is one. */
  const check = () =>
    ask('GET', '/admin/cache/stats').then(
      () => true,
      (/** @type {Refusal} */ { status }) => {
        if (status === 401) leave();
        return false;
      },
    );

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    fault.textContent = '';
    ask('POST', '/admin/session', { token: token.value }).then(
      () => {
        token.value = '';
        localStorage.setItem(note, String(Date.now() + lastsMs));
        enter();
      },
      (/** @type {Refusal} */ { status, message }) => {
        fault.textContent = status === 401 ? 'That is not the admin token.' : message;
        token.select();
      },
    );
  });
  byId('sign-out').addEventListener('click', () => {
    ask('DELETE', '/admin/session').then(leave, leave);
  });

  return {
    /** @param {boolean} admin whether the service has an admin token */
    known(admin) {
      if (exists === admin) return;
      exists = admin;
      show();
      if (!admin) leave();
      else if (isNoted()) check().then((good) => good && enter());
    },
    check,
  };
}
