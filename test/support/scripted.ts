import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common';
import { type Request, type Response } from 'express';
import supertest from 'supertest';
import { CacheResponse } from '../../src/cache/index.js';
import { startRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';

/** What a route does, written by the test that asks it. */
export type Script = (req: Request, res: Response) => unknown;

/** By the last part of the path. Each test has names of its own. */
export const scripts = new Map<string, Script>();

const run = (req: Request, res: Response): unknown => {
  const script = scripts.get(String(req.params['name']));
  if (!script) throw new Error(`nothing is written for ${req.url}`);
  return script(req, res);
};

/** Routes of one's own: they read no entity unless their script does. */
@Controller()
export class ScriptedController {
  @Get('said/:name')
  @CacheResponse()
  said(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Post('said/:name')
  unsafe(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('timed/:name')
  @CacheResponse({ ttlMs: 60_000, ranges: true })
  timed(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('selected/:name')
  @CacheResponse({ ttlMs: 60_000, vary: ['X-Kind'] })
  selected(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('accepted/:name')
  @CacheResponse({ ttlMs: 60_000, statuses: [202] })
  accepted(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('keyed/:name')
  @CacheResponse({ ttlMs: 60_000, key: ({ params }) => `/keyed/${String(params['name'])}` })
  keyed(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('open/:name')
  @CacheResponse({ ttlMs: 60_000, key: ({ params }) => `/open/${String(params['name'])}`, ignores: ['authorization'] })
  open(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('told/:name')
  @CacheResponse({ groups: true, cdn: { maxAgeS: 30 } })
  told(@Req() req: Request, @Res({ passthrough: true }) res: Response): unknown {
    return run(req, res);
  }

  @Get('sent/:name')
  @CacheResponse({ ttlMs: 60_000 })
  sent(@Req() req: Request, @Res() res: Response): unknown {
    return run(req, res);
  }
}

@Module({ controllers: [ScriptedController] })
export class ScriptedModule {}

/** Nodes of one service are asked for by its name, not by their own. */
export function byName(node: TestApp): TestApp {
  return { ...node, http: supertest.agent(node.url).set('Host', 'service.test') };
}

let names = 0;

/** A path whose handler is the script; `runs` counts how often it ran. */
export function write(script: Script, route = 'said') {
  const name = `n${(names += 1)}`;
  const written = { path: `/${route}/${name}`, runs: 0 };
  scripts.set(name, (req, res) => {
    written.runs += 1;
    return script(req, res);
  });
  return written;
}

export const saying = (fields: Record<string, string>, value: unknown = { n: 1 }) =>
  write((_, res) => {
    res.set(fields);
    return value;
  });

/** Two nodes over one database and one Redis, with these routes. */
export async function startScripted() {
  const redis = await startRedis();
  const a = byName(await startApp({ redis: redis.url, imports: [ScriptedModule] }));
  const b = byName(await startApp({ redis: redis.url, imports: [ScriptedModule], database: a.databaseUrl }));
  const close = async (): Promise<void> => {
    await b.close();
    await a.close();
    await redis.stop();
  };
  return { redis, a, b, close };
}
