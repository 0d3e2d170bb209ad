// What a simulation came to, while it runs and afterwards.

import { useMemo, useState } from "preact/hooks";

import type { Moment, Outcome, Settings, Simulation } from "../api/types";
import { Plot } from "../parts/plot";
import { Table } from "../parts/table";
import { clock, count } from "../words";

const LOG_LINES_SHOWN = 200;
/** Names of colours in the style sheet, one for each way to sell. */
const COLOURS: Record<string, string> = {
  naive: "bad", optimistic: "line-2", "atomic-decrement": "line-3", "skip-locked": "line-4", "redis-lock": "held",
  "redis-decr": "line-5", lua: "line-6", flash: "accent",
};

export function Results({ simulation }: { simulation: Simulation }) {
  const { outcomes, moments, settings, log } = simulation;
  return (
    <section aria-label="Results">
      <div class="columns">{outcomes.map((outcome) => <Counters key={outcome.strategy} outcome={outcome} />)}</div>
      <div class="plots">
        <Course title="Units left" moments={moments} strategies={settings.strategies} of={({ available }) => available} />
        <Course title="Latency of the slowest hundredth" moments={moments} strategies={settings.strategies} of={({ p99_ms }) => p99_ms} unit=" ms" />
      </div>
      <Table label="Outcomes" columns={COLUMNS} rows={outcomes} keyOf={({ strategy }) => strategy} />
      <Export simulation={simulation} />
      <details>
        <summary>Log</summary>
        <ol class="log" tabIndex={0}>
          {log.slice(-LOG_LINES_SHOWN).map(({ at_ms, strategy, line }, at) => <li key={at}>{clock(at_ms)} <b>{strategy}</b> {line}</li>)}
        </ol>
      </details>
    </section>
  );
}

const ms = (value: number) => `${value.toFixed(1)} ms`;

function Counters({ outcome }: { outcome: Outcome }) {
  const { strategy, requests, sold, oversold, mean_ms, p99_ms, verdict, done } = outcome;
  const rows: [string, string, boolean][] = [
    ["Requests", count(requests), false], ["Successful", count(sold), false], ["Oversold", count(oversold), oversold > 0],
    ["Average", ms(mean_ms), false], ["p99", ms(p99_ms), false],
  ];
  return (
    <section class="card counters" aria-label={strategy}>
      <h2>{strategy}</h2>
      <dl class="facts">{rows.map(([name, value, isBad]) => <div key={name} class={isBad ? "bad" : ""}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <p class="hint" role="status">{done ? verdict : "it runs …"}</p>
    </section>
  );
}

interface CourseProps {
  title: string;
  moments: Moment[];
  strategies: string[];
  of: (moment: Moment) => number | undefined;
  unit?: string;
}

/** The strategies run one after another, and are drawn as if they had begun together. */
function Course({ title, moments, strategies, of, unit = "" }: CourseProps) {
  const [at_s, values] = useMemo(() => {
    const at = [...new Set(moments.map(({ at_ms }) => at_ms))].sort((one, other) => one - other);
    const rows = strategies.map((strategy) => {
      const seen = new Map(moments.filter((moment) => moment.strategy === strategy).map((moment) => [moment.at_ms, of(moment) ?? null]));
      return at.map((at_ms) => seen.get(at_ms));
    });
    return [at.map((at_ms) => at_ms / 1_000), rows];
  }, [moments, strategies.join()]);
  const lines = strategies.map((label) => ({ label, colour: COLOURS[label] ?? "soft" }));
  return <Plot title={title} at_s={at_s} values={values} lines={lines} isSpan unit={unit} />;
}

const COLUMNS = [
  { head: "Way", cell: ({ strategy }: Outcome) => <span class="name">{strategy}</span> },
  { head: "Sold", isNumber: true, cell: ({ sold }: Outcome) => count(sold) },
  { head: "Sold out", isNumber: true, cell: ({ sold_out }: Outcome) => count(sold_out) },
  { head: "Oversold", isNumber: true, cell: ({ oversold }: Outcome) => count(oversold) },
  { head: "Undersold", isNumber: true, cell: ({ undersold }: Outcome) => count(undersold) },
  { head: "Errors", isNumber: true, cell: ({ errors }: Outcome) => count(errors) },
  { head: "Retries", isNumber: true, cell: ({ retries }: Outcome) => count(retries) },
  { head: "A second", isNumber: true, cell: ({ requests_per_s }: Outcome) => count(Math.round(requests_per_s)) },
  { head: "p50", isNumber: true, cell: ({ p50_ms }: Outcome) => ms(p50_ms) },
  { head: "p99.9", isNumber: true, cell: ({ p999_ms }: Outcome) => ms(p999_ms) },
  { head: "Longest", isNumber: true, cell: ({ max_ms }: Outcome) => ms(max_ms) },
];

/** What gives the same run again: over HTTP, as the server makes it. */
export function command({ strategies, buyers, units, concurrency, rate, seed }: Settings): string {
  return `flash sim --http --strategy ${strategies.join(",")} --buyers ${buyers} --units ${units} --concurrency ${concurrency} --rate ${rate} --seed ${seed}`;
}

function Export({ simulation }: { simulation: Simulation }) {
  const [said, setSaid] = useState("");
  const save = () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(simulation, null, 2)], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `flash-sim-${simulation.settings.seed}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  const line = command(simulation.settings);
  const copy = () => navigator.clipboard.writeText(line).then(() => setSaid("Copied."), () => setSaid("The browser does not let it be copied."));
  return (
    <>
      <pre tabIndex={0}>{line}</pre>
      <p class="row">
        {/* Only a page over HTTPS, or of this machine, has a clipboard. */}
        {"clipboard" in navigator && <button type="button" onClick={() => void copy()}>Copy the command</button>}
        <button type="button" onClick={save}>Save as JSON</button>
        <span role="status">{said}</span>
      </p>
    </>
  );
}
