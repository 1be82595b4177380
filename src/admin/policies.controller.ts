import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiParam, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { EntityRules, RedisConnection, RedisFaults, UnusableRedisError } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { notFound, ProblemException, Produces, QueryNames, unavailable, Unlimited } from '../http/index.js';
import { NoRedisError, PolicyRegistry, PolicySwitch, SupersededSwitchError } from '../invalidation/index.js';
import { defaultPolicy, policies, type PolicyName, policyNames } from '../policies/index.js';
import { AdminChange, AdminRoute, ofRedis } from './admin.docs.js';

export class PolicyChoice {
  @ApiProperty({ enum: policyNames })
  @IsIn(policyNames)
  policy!: PolicyName;
}

export class PolicyView extends PolicyChoice {
  @ApiProperty({ example: 'items' })
  entity!: string;

  @ApiProperty({ description: 'what readers can rely on', example: policies[defaultPolicy].guarantee })
  guarantee!: string;

  @ApiProperty({ enum: policyNames, isArray: true, description: 'what there is, from the weakest to the strictest' })
  choices!: readonly PolicyName[];
}

const entity = ApiParam({ name: 'entity', example: 'items' });
const noEntity = { 404: 'there is no such entity' };

/** Under which policy an entity is: the same on every node. */
@ApiTags('admin')
@Unlimited('load')
@Controller('admin/cache/policies')
@Produces('application/json')
@QueryNames()
export class PoliciesController {
  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly registry: PolicyRegistry,
    private readonly policySwitch: PolicySwitch,
    private readonly connection: RedisConnection,
    private readonly faults: RedisFaults,
  ) {}

  @Get(':entity')
  @AdminRoute('Read a policy', 'The policy of one entity, and what it guarantees.', noEntity)
  @entity
  @ApiResponse({ status: 200, type: PolicyView, description: 'the policy in force' })
  find(@Param('entity') name: string): PolicyView {
    if (!this.rules.named(name)) throw notFound(`There is no cached entity ${name.slice(0, 64)}.`);
    const policy = this.registry.policyOf(name);
    return { entity: name, policy, guarantee: policies[policy].guarantee, choices: policyNames };
  }

  /** Without Redis, what the old policy has left there could not be made invalid; so it is not switched. */
  @Put(':entity')
  @AdminChange(
    'Switch a policy',
    'On every node. Waits for the writers of the old policy; what that policy has left in the cache is not served any more.',
    {
      ...noEntity,
      ...ofRedis,
      400: 'there is no such policy',
      409: 'there is no Redis that strict could rely on; or a later switch has superseded this one',
    },
  )
  @entity
  @ApiResponse({ status: 200, type: PolicyView, description: 'the policy that is in force now' })
  async replace(@Param('entity') name: string, @Body() { policy }: PolicyChoice): Promise<PolicyView> {
    this.find(name);
    if (this.settings.redisUrl && this.connection.state !== 'closed')
      throw unavailable(`Redis is not used: ${this.faults.of('data') ?? 'it is being connected to'}.`);
    await this.policySwitch.to(name, policy).catch((error: unknown) => {
      const refused = [NoRedisError, UnusableRedisError, SupersededSwitchError].some((type) => error instanceof type);
      throw refused ? new ProblemException(409, (error as Error).message) : error;
    });
    return this.find(name);
  }
}
