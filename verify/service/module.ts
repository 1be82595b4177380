import { Body, Controller, HttpCode, Module, Param, Post } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CacheModule } from '../../src/cache/index.js';
import { notFound, Produces, QueryNames } from '../../src/http/index.js';
import { kinds, ruleOf } from './entities.js';
import { ReadsController, Records, RecordsInspectable } from './reads.js';
import { type Change, writers } from './writers.js';

@Controller('verify/writes')
@Produces('application/json')
@QueryNames()
export class WritesController {
  constructor(private readonly dataSource: DataSource) {}

  @Post(':kind')
  @HttpCode(200)
  async write(@Param('kind') kind: string, @Body() change: object): Promise<object> {
    const writer = writers[kind];
    if (!writer) throw notFound(`There is no writer ${kind}.`);
    await writer(this.dataSource, change as Change);
    return {};
  }
}

/** What a run has besides the service itself. */
@Module({
  imports: [
    TypeOrmModule.forFeature(kinds.map(({ target }) => target)),
    ...kinds.map((kind) => CacheModule.forEntity(ruleOf(kind))),
  ],
  controllers: [WritesController, ReadsController],
  providers: [Records, RecordsInspectable],
})
export class VerifyModule {}
