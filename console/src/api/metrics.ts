// The gateway's metrics, as Prometheus reads them.

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** The samples of each metric, by its name. */
export type Metrics = Map<string, Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

export function read(page: string): Metrics {
  const metrics: Metrics = new Map();
  for (const line of page.split("\n")) {
    const [, name, labels, value] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const sample = { labels: readLabels(labels ?? ""), value: Number(value) };
    const samples = metrics.get(name);
    if (samples) samples.push(sample);
    else metrics.set(name, [sample]);
  }
  return metrics;
}

function readLabels(text: string): Record<string, string> {
  const labels = [...text.matchAll(LABEL)].map(([, name, value]) => [name ?? "", unescape(value ?? "")]);
  return Object.fromEntries(labels) as Record<string, string>;
}

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_, of: string) => (of === "n" ? "\n" : of));
}

/** All samples of a metric together; undefined where the gateway does not tell it: unknown is not zero. */
export function sum(metrics: Metrics, name: string): number | undefined {
  return metrics.get(name)?.reduce((sum, { value }) => sum + value, 0);
}
