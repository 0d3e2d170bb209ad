import { type Metrics, read } from "../api/metrics";
import { document as describe, health, metrics, ready } from "../api/routes";
import type { Health as Told } from "../api/types";
import { useLook } from "../api/use_look";
import { Facts } from "../parts/facts";
import { Empty, Seen } from "../parts/seen";
import { Badge } from "../parts/stock";
import { Table } from "../parts/table";
import { count } from "../words";

const EVERY_MS = 5_000;
const FINDINGS_EVERY_MS = 60_000;

/** Rate limits and how often they refuse, what is wrong, and what runs. */
export function Health() {
  const readiness = useLook(ready, [], EVERY_MS);
  const limits = useLook(async (signal) => read(await metrics(signal)), [], EVERY_MS);
  const told = useLook(health, [], FINDINGS_EVERY_MS);
  const version = useLook(describe, []);
  return (
    <>
      <h1 tabIndex={-1}>Limits and health</h1>
      <Seen look={readiness} what="its servers">
        {({ ready, checks }) => (
          <Facts facts={[
            { name: "Gateway", value: checks?.draining ? "draining" : checks?.starting ? "starting" : ready ? "sells" : "cannot sell", isBad: !ready, hint: version.value?.info.version ?? "" },
            ...(["redis", "rabbitmq", "postgres"] as const)
              .filter((name) => checks?.[name] !== undefined)
              .map((name) => ({ name: NAMES[name], value: checks?.[name] ?? "", isBad: checks?.[name] !== "ok" })),
          ]} />
        )}
      </Seen>
      <section aria-labelledby="policies">
        <h2 id="policies">Rate limits</h2>
        <Seen look={limits} what="its rate limits">{(value) => <Policies policies={policies(value)} />}</Seen>
      </section>
      <section aria-labelledby="doctor">
        <h2 id="doctor">What flash doctor finds</h2>
        <Seen look={told} what="the doctor's findings">{(value) => <Findings told={value} />}</Seen>
      </section>
    </>
  );
}

const NAMES = { redis: "Redis", rabbitmq: "RabbitMQ", postgres: "PostgreSQL" };

interface Policy {
  name: string;
  allowed: number;
  limited: number;
}

function policies(metrics: Metrics): Policy[] {
  const limited = new Map(metrics.get("flash_rate_limit_limited_total")?.map(({ labels, value }) => [labels["policy"], value]));
  const allowed = metrics.get("flash_rate_limit_allowed_total") ?? [];
  return allowed.map(({ labels, value }) => ({ name: labels["policy"] ?? "", allowed: value, limited: limited.get(labels["policy"]) ?? 0 }));
}

const percent = ({ allowed, limited }: Policy) =>
  allowed + limited === 0 ? "–" : `${((100 * limited) / (allowed + limited)).toFixed(1)} %`;

const POLICIES = [
  { head: "Policy", cell: ({ name }: Policy) => <span class="name">{name}</span> },
  { head: "Allowed", isNumber: true, cell: ({ allowed }: Policy) => count(allowed) },
  { head: "Refused", isNumber: true, cell: ({ limited }: Policy) => count(limited) },
  { head: "Refused, of all", isNumber: true, cell: percent },
];

function Policies({ policies }: { policies: Policy[] }) {
  if (policies.length === 0) return <Empty title="This gateway has no rate limits." />;
  return <Table label="Rate limits" columns={POLICIES} rows={policies} keyOf={({ name }) => name} />;
}

type Finding = Told["findings"][number];

const FINDINGS = [
  { head: "Level", cell: ({ level }: Finding) => <Badge of={level} /> },
  { head: "Check", cell: ({ check }: Finding) => <span class="name">{check}</span> },
  { head: "Found", cell: ({ detail, advice }: Finding) => <>{detail}{advice && <div class="hint">{advice}</div>}</> },
];
const LEVELS = ["fail", "warn", "ok"];

function Findings({ told: { findings, versions } }: { told: Told }) {
  const worstFirst = [...findings].sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  return (
    <>
      {findings.length === 0
        ? <Empty title="It found nothing." />
        : <Table label="Findings" columns={FINDINGS} rows={worstFirst} keyOf={({ check }) => check} />}
      <h2>Versions</h2>
      <dl class="facts">{versions.map(({ name, version }) => <div key={name}><dt>{name}</dt><dd>{version}</dd></div>)}</dl>
    </>
  );
}
