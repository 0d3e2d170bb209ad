import { useEffect, useMemo, useState } from "preact/hooks";

import { type Metrics, read, sum } from "../api/metrics";
import { metrics, relay, syncers } from "../api/routes";
import type { Relayed, Syncer } from "../api/types";
import { useLook } from "../api/use_look";
import { useRates } from "../api/use_rates";
import { Plot } from "../parts/plot";
import { Empty, Seen } from "../parts/seen";
import { Badge } from "../parts/stock";
import { Table } from "../parts/table";
import { Facts, type Fact } from "../parts/facts";
import { to } from "../route";
import { count, span } from "../words";
import { Quarantine } from "./quarantine";

const EVERY_MS = 2_000;
const SEEN_MAX = 900;

interface Moment {
  at_s: number;
  journal: number | null;
  queue: number | null;
  age_s: number | null;
}

/** What is on its way from Redis to PostgreSQL. */
export function Flow({ query }: { query: URLSearchParams }) {
  const look = useLook(async (signal) => read(await metrics(signal)), [], EVERY_MS);
  return (
    <>
      <h1 tabIndex={-1}>Flow</h1>
      <Seen look={look} what="its metrics">{(value) => <Body metrics={value} />}</Seen>
      <Journals />
      <Syncers />
      <Quarantine query={query} />
    </>
  );
}

function Body({ metrics }: { metrics: Metrics }) {
  const course = useCourse(metrics);
  const at_s = useMemo(() => course.map(({ at_s }) => at_s), [course]);
  const waiting = useMemo(() => [course.map(({ journal }) => journal), course.map(({ queue }) => queue)], [course]);
  const age = useMemo(() => [course.map(({ age_s }) => age_s)], [course]);
  return (
    <>
      <Facts facts={facts(metrics)} />
      <div class="plots">
        <Plot title="Events that wait for PostgreSQL" at_s={at_s} values={waiting} lines={[{ label: "journal", colour: "accent" }, { label: "queue", colour: "held" }]} />
        <Plot title="Age of the oldest of them" at_s={at_s} values={age} unit=" s" lines={[{ label: "age", colour: "accent" }]} />
      </div>
    </>
  );
}

function facts(metrics: Metrics): Fact[] {
  const age_s = sum(metrics, "flash_oldest_unpersisted_age_seconds");
  const up = sum(metrics, "flash_transport_up");
  const blocked = sum(metrics, "flash_transport_blocked");
  const carries = up === undefined ? "–" : up === 0 ? "away" : blocked ? "blocked" : "ok";
  return [
    { name: "Journal lag", value: age_s === undefined ? "–" : span(age_s * 1_000), hint: "the oldest event in a journal" },
    { name: "In journals", value: count(sum(metrics, "flash_journal_events") ?? 0), hint: "events" },
    { name: "In the queue", value: count(sum(metrics, "flash_queue_messages")), hint: "messages" },
    { name: "Relay", value: carries, hint: "what carries its messages", isBad: carries === "away" || carries === "blocked" },
    { name: "Publishes lost", value: count(sum(metrics, "flash_publish_failures_total")), hint: "connections; sent again" },
    { name: "Shed", value: count(sum(metrics, "flash_requests_shed_total")), hint: "requests, since the start" },
  ];
}

/** What was seen since the page was opened. */
function useCourse(metrics: Metrics): Moment[] {
  const [course, setCourse] = useState<Moment[]>([]);
  useEffect(() => {
    const moment = {
      at_s: Date.now() / 1_000,
      // A gateway that reaches Redis names the sales whose journals hold something: none of them is none waiting.
      journal: sum(metrics, "flash_redis_up") ? (sum(metrics, "flash_journal_events") ?? 0) : null,
      queue: sum(metrics, "flash_queue_messages") ?? null,
      age_s: sum(metrics, "flash_oldest_unpersisted_age_seconds") ?? null,
    };
    setCourse((course) => [...course.slice(1 - SEEN_MAX), moment]);
  }, [metrics]);
  return course;
}

const JOURNALS = [
  { head: "Sale", cell: ({ sale }: Relayed) => <a href={to(["sales", sale])}>{sale}</a> },
  { head: "Events on their way", isNumber: true, cell: ({ journal_events }: Relayed) => count(journal_events) },
  { head: "Of at most", isNumber: true, cell: ({ journal_events_max }: Relayed) => count(journal_events_max) },
  { head: "Oldest", isNumber: true, cell: ({ oldest_age_ms }: Relayed) => span(oldest_age_ms) },
  { head: "Relay", cell: ({ relay }: Relayed) => <span class="name">{relay ?? "none"}</span> },
  { head: "Fence", cell: ({ fenced }: Relayed) => (fenced ? <Badge of="fenced" /> : "–") },
];

function Journals() {
  const look = useLook(relay, [], EVERY_MS);
  return (
    <section aria-labelledby="journals">
      <h2 id="journals">Journals</h2>
      <Seen look={look} what="the journals">
        {({ sales }) => sales.length === 0
          ? <Empty title="Nothing waits in a journal." />
          : <Table label="Journals" columns={JOURNALS} rows={sales} keyOf={({ sale }) => sale} />}
      </Seen>
    </section>
  );
}

const syncerColumns = (rate: (syncer: Syncer) => number | undefined) => [
  { head: "Syncer", cell: ({ name }: Syncer) => <span class="name">{name}</span> },
  { head: "State", cell: ({ paused }: Syncer) => (paused ? "paused" : "writes") },
  { head: "Messages before it", isNumber: true, cell: ({ queued }: Syncer) => count(queued) },
  { head: "Events a second", isNumber: true, cell: (syncer: Syncer) => count(whole(rate(syncer))) },
  { head: "Refused by PostgreSQL", isNumber: true, cell: ({ rejected }: Syncer) => count(rejected) },
  { head: "Last heard", isNumber: true, cell: ({ said_ms_ago }: Syncer) => `${span(said_ms_ago)} ago` },
];

const whole = (rate: number | undefined) => (rate === undefined ? undefined : Math.round(rate));

function Syncers() {
  const look = useLook(syncers, [], EVERY_MS);
  const rate = useRates(look.value?.syncers);
  return (
    <section aria-labelledby="syncers">
      <h2 id="syncers">Syncers</h2>
      <Seen look={look} what="syncers">
        {({ syncers }) => syncers.length === 0
          ? <Empty title="No syncer has said anything yet."><p>Without one nothing reaches PostgreSQL: “flash syncer” starts one.</p></Empty>
          : <Table label="Syncers" columns={syncerColumns(rate)} rows={syncers} keyOf={({ name }) => name} />}
      </Seen>
    </section>
  );
}
