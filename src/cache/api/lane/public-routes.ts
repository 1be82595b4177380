import { type ExecutionContext, Injectable } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, Reflector } from '@nestjs/core';

/** Which routes answer everybody alike: those that no guard stands before, neither their own nor a global one. */
@Injectable()
export class PublicRoutes {
  readonly #guarded = new Map<unknown, boolean>();

  constructor(
    private readonly application: ApplicationConfig,
    private readonly reflector: Reflector,
  ) {}

  isPublic(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let guarded = this.#guarded.get(handler);
    if (guarded === undefined) {
      const own = this.reflector.getAllAndMerge<unknown[]>(GUARDS_METADATA, [handler, context.getClass()]);
      const { application } = this;
      guarded = own.length + application.getGlobalGuards().length + application.getGlobalRequestGuards().length > 0;
      this.#guarded.set(handler, guarded);
    }
    return !guarded;
  }
}
