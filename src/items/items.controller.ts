import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Request, type Response } from 'express';
import { CacheResponse, type CacheResponseOptions } from '../cache/index.js';
import { childPath, parseIfMatch, Produces, QueryNames, RepresentationInterceptor } from '../http/index.js';
import { itemKey, listKey } from './canonical.js';
import { IdPipe } from './dto/id.pipe.js';
import { ItemInput } from './dto/item-input.dto.js';
import { ListItemsQuery } from './dto/list-items.query.js';
import { parseIdempotencyKey } from './idempotency-keys.js';
import { DocCreate, DocFindOne, DocFindPage, DocRemove, DocReplace } from './items.docs.js';
import { type ItemsPage, type ItemView } from './item.view.js';
import { ItemsService } from './items.service.js';

/** Keys that warmers and inspectors know, and answers that are the same for everybody. */
const cached: CacheResponseOptions = {
  keyScope: 'application',
  reads: 'entities',
  ignores: ['authorization', 'cookie'],
};

@ApiTags('items')
@Controller('items')
@Produces('application/json')
@QueryNames()
export class ItemsController {
  constructor(private readonly items: ItemsService) {}

  @Get()
  @QueryNames('category', 'q', 'sort', 'limit', 'cursor')
  @CacheResponse({ ...cached, key: listKey })
  @DocFindPage()
  findPage(@Query() query: ListItemsQuery): Promise<ItemsPage> {
    return this.items.findPage(query);
  }

  @Get(':id')
  @CacheResponse({ ...cached, key: itemKey })
  @DocFindOne()
  findOne(@Param('id', IdPipe) id: number): Promise<ItemView> {
    return this.items.findOne(id);
  }

  @Post()
  @UseInterceptors(RepresentationInterceptor)
  @DocCreate()
  async create(
    @Headers('idempotency-key') key: string | undefined,
    @Body() input: ItemInput,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<ItemView> {
    const item = await this.items.create(input, parseIdempotencyKey(key));
    res.set('Location', childPath(req, item.id));
    return item;
  }

  @Put(':id')
  @UseInterceptors(RepresentationInterceptor)
  @DocReplace()
  replace(
    @Param('id', IdPipe) id: number,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() input: ItemInput,
  ): Promise<ItemView> {
    return this.items.replace(id, input, parseIfMatch(ifMatch));
  }

  @Delete(':id')
  @HttpCode(204)
  @DocRemove()
  remove(@Param('id', IdPipe) id: number, @Headers('if-match') ifMatch: string | undefined): Promise<void> {
    return this.items.remove(id, parseIfMatch(ifMatch));
  }
}
