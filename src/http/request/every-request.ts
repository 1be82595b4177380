import { SetMetadata } from '@nestjs/common';

const key = 'http:every-request';

/**
 * For a global interceptor that looks at requests (and may refuse them) and leaves answers as they are: it runs for every
 * request that Nest handles. All other interceptors take part in making answers, and a stored one is not made again.
 */
export const EveryRequest = () => SetMetadata(key, true);

export const isForEveryRequest = (interceptor: object): boolean =>
  Reflect.getMetadata(key, interceptor.constructor) === true;
