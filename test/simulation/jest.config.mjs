import base from '../../jest.config.mjs';

/** The simulation alone needs no servers. */
const config = { ...base, rootDir: '../..', testPathIgnorePatterns: ['/node_modules/'] };
delete config.globalSetup;
delete config.globalTeardown;

export default config;
