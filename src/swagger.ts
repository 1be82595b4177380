import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** What the service offers, as OpenAPI says it; `docs/openapi.json` is a copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Strata')
    .setDescription('An Items REST service behind a multi-level cache whose answers can be trusted.')
    .setVersion('0.1.0')
    .addTag('items', 'the example domain')
    .addTag('operations', 'for orchestrators and monitoring')
    .addTag('admin', 'the operator’s routes; they exist where `ADMIN_TOKEN` is set')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: '`ADMIN_TOKEN`' }, 'admin')
    .addCookieAuth(
      'strata_session',
      { type: 'apiKey', in: 'cookie', description: 'set by `POST /admin/session`' },
      'session',
    )
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** `/docs` for people, `/docs-json` for programs. Not as YAML: that would be made anew for each request, in 20 ms. */
export function setUpSwagger(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    customSiteTitle: 'Strata',
    raw: ['json'],
    useGlobalPrefix: true,
  });
}
