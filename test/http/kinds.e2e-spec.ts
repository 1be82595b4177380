import { comparesEveryKind } from '../support/kinds.comparison.js';

describe("an answer of the service's adapter, the fast lane off", () => {
  comparesEveryKind({ stockAdapter: false, base: '', lane: 'off' });
});

describe("an answer of the service's adapter under a prefix, with versions and middleware, the fast lane on", () => {
  comparesEveryKind({ stockAdapter: false, base: '/api/v1', lane: 'on' });
});
