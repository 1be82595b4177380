import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/index.js';
import { Item } from './item.entity.js';
import { itemRule } from './item.rule.js';
import { ItemsController } from './items.controller.js';
import { ItemsInspectable } from './items.inspectable.js';
import { ItemsReader } from './items.reader.js';
import { ItemsService } from './items.service.js';
import { ItemsWarmerReader } from './items.warmer-reader.js';
import { ItemsWarmer } from './items.warmer.js';
import { ItemsWriter } from './items.writer.js';

/** The example domain. */
@Module({
  imports: [TypeOrmModule.forFeature([Item]), CacheModule.forEntity(itemRule)],
  controllers: [ItemsController],
  providers: [ItemsReader, ItemsWriter, ItemsService, ItemsInspectable, ItemsWarmerReader, ItemsWarmer],
  exports: [ItemsService, ItemsReader],
})
export class ItemsModule {}
