import 'reflect-metadata';
import { AppModule } from '../../src/app.module.js';
import { VerifyModule } from './module.js';

/*
 * Loaded before the service's own main.js (`node --import`): the service that is verified is the one that is built, with
 * one module more.
 */
const forRoot = AppModule.forRoot.bind(AppModule);
AppModule.forRoot = (settings) => {
  const root = forRoot(settings);
  return { ...root, imports: [...(root.imports ?? []), VerifyModule] };
};
