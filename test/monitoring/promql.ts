import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** What one place of an expression wants of Prometheus. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** Every selector of an expression, in order. @throws where it is no PromQL */
export function selectorsOf(expression: string): Selector[] {
  const text = (node: { readonly from: number; readonly to: number }) => expression.slice(node.from, node.to);
  const selectors: { metric: string; matchers: Matcher[] }[] = [];
  parser.parse(expression).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${expression}`);
      if (type.name === 'VectorSelector') {
        const metric = node.getChild('Identifier');
        selectors.push({ metric: metric ? text(metric) : '', matchers: [] });
      }
      if (type.name === 'UnquotedLabelMatcher') {
        const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) => node.getChild(name)!);
        selectors.at(-1)!.matchers.push({
          label: text(label!),
          operator: text(operator!),
          value: JSON.parse(text(value!)) as string,
        });
      }
    },
  });
  return selectors;
}
