import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  type EntityTarget,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
  VersionColumn,
} from 'typeorm';
import { CacheModule, type EntityRule } from '../../src/cache/index.js';

/* Entities of every shape that the tables of docs/entities-and-routes.md name. */

@Entity('st_plain')
export class Plain {
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') name!: string;
  @Column('text', { default: 'k' }) kind!: string;
  @VersionColumn() version!: number;
  @Column('int', { select: false, default: 1 }) owner!: number;
  @Column({ type: 'int', generatedType: 'STORED', asExpression: 'length(name)', nullable: true }) size!: number;
}

@Entity('st_content')
@TableInheritance({ column: { type: 'varchar', name: 'type' } })
export class Content {
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') title!: string;
}

@ChildEntity()
export class Video extends Content {}

@Entity('st_author')
export class Author {
  @PrimaryColumn('int') id!: number;
  @Column('text') name!: string;
}

@Entity('st_label')
export class Label {
  @PrimaryColumn('int') id!: number;
}

@Entity('st_post')
export class Post {
  @PrimaryColumn('int') id!: number;
  @Column('text') title!: string;
  @ManyToOne(() => Author, { onDelete: 'CASCADE', onUpdate: 'CASCADE', nullable: true }) author!: Author | null;
  @ManyToMany(() => Label, { onDelete: 'CASCADE' }) @JoinTable({ name: 'st_post_labels' }) labels!: Label[];
}

@Entity('st_node')
export class TreeNode {
  @PrimaryColumn('int') id!: number;
  @ManyToOne(() => TreeNode, { onDelete: 'SET NULL', nullable: true }) parent!: TreeNode | null;
}

@Entity('st_line')
export class Line {
  @PrimaryColumn('int') order!: number;
  @PrimaryColumn('int') no!: number;
  @Column('text') name!: string;
}

@Entity('st_prefixed')
export class Prefixed {
  @PrimaryColumn('int', { transformer: { to: (id: string) => Number(id.slice(1)), from: (id: number) => `p${id}` } })
  id!: string;
  @Column('text') name!: string;
}

@Entity({ name: 'st_plain', schema: 'elsewhere' })
export class Elsewhere {
  @PrimaryColumn('int') id!: number;
  @Column('text') name!: string;
}

export const sketch = new EntitySchema<{ id: number; name: string }>({
  name: 'Sketch',
  tableName: 'st_sketch',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
});

export const ruleOf = <Row extends object>(
  entity: string,
  target: EntityTarget<Row>,
  rest: Partial<EntityRule<Row>> = {},
): EntityRule<Row> => ({
  entity,
  target,
  idOf: (row) => (row as { id: number | string }).id,
  filtersOf: () => [],
  view: (row) => ({ ...row }),
  initialPolicy: ({ cachePolicy }) => cachePolicy,
  ...rest,
});

const rules = [
  ruleOf('plain', Plain, { filtersOf: ({ kind, owner }) => [{ kind }, { owner }] }),
  ruleOf('content', Content),
  ruleOf('post', Post, { filtersOf: ({ author }) => [{ author: author?.id ?? 0 }] }),
  ruleOf('node', TreeNode),
  ruleOf('line', Line, { idOf: ({ order, no }) => `${order}-${no}` }),
  ruleOf('prefixed', Prefixed),
  ruleOf('elsewhere', Elsewhere),
  ruleOf('sketch', sketch),
];
export const entities = [Plain, Content, Video, Author, Label, Post, TreeNode, Line, Prefixed, Elsewhere, sketch];

@Module({
  imports: [
    TypeOrmModule.forFeature(entities),
    ...rules.map((rule) => CacheModule.forEntity(rule as EntityRule<object>)),
  ],
})
export class ChangingEntitiesModule {}
