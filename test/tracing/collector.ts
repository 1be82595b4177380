import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
}
type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly {
      readonly spans: readonly (CollectedSpan & { attributes: KeyValues; status: { code?: number } })[];
    }[];
  }[];
}

const values = (pairs: KeyValues) =>
  Object.fromEntries(
    pairs.map(({ key, value: { stringValue, boolValue, intValue } }) => [
      key,
      stringValue ?? boolValue ?? Number(intValue),
    ]),
  );

/** Takes what is sent by OTLP over HTTP, in JSON. @see https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export async function startCollector() {
  const spans: CollectedSpan[] = [];
  const paths = new Set<string>();
  let resource: CollectedSpan['attributes'] = {};
  const server = createServer((req, res) => {
    paths.add(req.url!);
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Sent;
      for (const { resource: from, scopeSpans } of resourceSpans) {
        resource = values(from.attributes);
        for (const span of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({ ...span, attributes: values(span.attributes), failed: span.status.code === 2 });
      }
      res.setHeader('Content-Type', 'application/json').end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    paths,
    /** Who sent them. */
    resource: () => resource,
    /** Of the trace that a request was made in, in the order in which they ended. */
    of: (traceId: string) => spans.filter((span) => span.traceId === traceId),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Collector = Awaited<ReturnType<typeof startCollector>>;
