import { Injectable, type OnModuleInit } from '@nestjs/common';
import { parse } from 'node:querystring';
import {
  type CurrentRow,
  Inspectable,
  Inspectables,
  queryAddress,
  queryTags,
  rowAddress,
  rowTags,
  type Subject,
} from '../cache/index.js';
import { listQuery, itemIdOf, itemPath, listPath, listQueryOf, pageTags } from './canonical.js';
import { itemRule } from './item.rule.js';
import { ItemsReader } from './items.reader.js';
import { ItemsWarmerReader } from './items.warmer-reader.js';

const { entity } = itemRule;

/** What operators can point at: an item (`items:42`, `/items/42`) or a list (`items?category=tools`, `/items?limit=5`). */
@Injectable()
export class ItemsInspectable extends Inspectable implements OnModuleInit {
  constructor(
    private readonly reader: ItemsReader,
    private readonly warmerReader: ItemsWarmerReader,
    private readonly all: Inspectables,
  ) {
    super();
  }

  onModuleInit(): void {
    this.all.add(this);
  }

  override subjectOf(key: string): Subject | undefined {
    const [, id] = /^(?:items:|\/items\/)([^/?]+)\/?$/.exec(key) ?? [];
    if (id !== undefined) return this.#item(itemIdOf(id));
    const [list, query = ''] = /^\/?items\/?(?:\?(.*))?$/s.exec(key) ?? [];
    return list === undefined ? undefined : this.#list(query);
  }

  #item(id: number | undefined): Subject | undefined {
    if (id === undefined) return undefined;
    return {
      entity,
      path: itemPath(id),
      address: rowAddress(entity, id),
      tag: rowTags(entity, id).tag,
      current: () => this.#current(id),
    };
  }

  async #current(id: number): Promise<CurrentRow | null> {
    const { value } = await this.reader.loadItem(id);
    if (!value) return null;
    const lists = [{}, { category: value.category }].map((filter) => queryTags(entity, filter)[0]!);
    return { version: value.version, changedAtMs: Date.parse(value.updatedAt), lists };
  }

  override async changedLately(limit: number): Promise<string[]> {
    return (await this.warmerReader.changedBefore(undefined, limit)).map(({ id }) => itemPath(id));
  }

  #list(text: string): Subject | undefined {
    const query = listQueryOf(parse(text));
    if (!query) return undefined;
    const tags = pageTags(query);
    const address = queryAddress(entity, listQuery(query), tags);
    return { entity, path: listPath(query), address, tag: tags[0]! };
  }
}
