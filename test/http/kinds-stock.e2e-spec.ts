import { comparesEveryKind } from '../support/kinds.comparison.js';

describe("an answer of Nest's own adapter, the fast lane on", () => {
  comparesEveryKind({ stockAdapter: true, base: '', lane: 'on' });
});

describe("an answer of Nest's own adapter under a prefix, with versions and middleware, the fast lane off", () => {
  comparesEveryKind({ stockAdapter: true, base: '/api/v1', lane: 'off' });
});
