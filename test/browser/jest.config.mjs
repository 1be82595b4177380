import base from '../../jest.config.mjs';

/** What needs a browser, apart from the other tests: `npm run check:browser`. */
export default { ...base, rootDir: '../..', roots: ['<rootDir>/test/browser'], testRegex: '\\.browser\\.ts$' };
