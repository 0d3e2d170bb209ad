import { useMemo, useState } from "preact/hooks";

import { closeSale, openSale, restock, showForm, showSale } from "../api/routes";
import type { Sale as Told, Sku, Stock } from "../api/types";
import { useAct } from "../api/use_act";
import { useLook } from "../api/use_look";
import { type Seen as SeenStock, useStock } from "../api/use_stock";
import { Dialog, Field } from "../parts/form";
import { Plot } from "../parts/plot";
import { Seen } from "../parts/seen";
import { Badge, Bar, Equation } from "../parts/stock";
import { Table } from "../parts/table";
import { count, span, time } from "../words";
import { Reservations } from "./reservations";

const EVERY_MS = 2_000;

/** One sale: what it has, what can be done with it, who has something of it. */
export function Sale({ sale, query }: { sale: string; query: URLSearchParams }) {
  const look = useLook((signal) => showSale(sale, signal), [sale], EVERY_MS);
  return (
    <>
      <p class="crumbs"><a href="#/sales">Sales</a> /</p>
      <h1 tabIndex={-1}>{sale}</h1>
      <Seen look={look} what="this sale">
        {(told) => <Body told={told} query={query} again={look.again} />}
      </Seen>
    </>
  );
}

function Body({ told, query, again }: { told: Told; query: URLSearchParams; again: () => void }) {
  const { line, seen } = useStock(told.sale, told.phase === "ended");
  const stock = newest(told, seen.at(-1)?.stock);
  return (
    <>
      <div class="row">
        <Badge of={stock.phase} /> <Badge of={line} />
        <Actions stock={stock} again={again} />
      </div>
      <section aria-label="Stock" class="card">
        <Equation units={stock} />
        <Bar units={stock} label="Stock" />
        {stock.skus.length > 1 && <Skus skus={stock.skus} />}
        <Course seen={seen} />
      </section>
      <section aria-labelledby="terms">
        <h2 id="terms">Terms</h2>
        <Terms told={told} />
        <Form sale={told.sale} />
      </section>
      <Reservations sale={told.sale} query={query} />
    </>
  );
}

/** Events come faster than looks; but they may have stopped coming. */
function newest(told: Told, live: Stock | undefined): Stock {
  if (!live || live.epoch < told.epoch) return told;
  return live.epoch > told.epoch || live.seq >= told.seq ? live : told;
}

function Skus({ skus }: { skus: Sku[] }) {
  const columns = [
    { head: "SKU", cell: ({ sku }: Sku) => sku },
    { head: "Stock", cell: (sku: Sku) => <Bar units={sku} label={sku.sku} /> },
    { head: "Total", isNumber: true, cell: ({ total }: Sku) => count(total) },
    { head: "Available", isNumber: true, cell: ({ available }: Sku) => count(available) },
    { head: "Held", isNumber: true, cell: ({ held }: Sku) => count(held) },
    { head: "Confirmed", isNumber: true, cell: ({ confirmed }: Sku) => count(confirmed) },
  ];
  return <Table label="SKUs" columns={columns} rows={skus} keyOf={({ sku }) => sku} />;
}

const LINES = [{ label: "available", colour: "available" }, { label: "held", colour: "held" }, { label: "confirmed", colour: "confirmed" }];

function Course({ seen }: { seen: SeenStock[] }) {
  const [at_s, values] = useMemo(() => [
    seen.map(({ at_ms }) => at_ms / 1_000),
    [seen.map(({ stock }) => stock.available), seen.map(({ stock }) => stock.held), seen.map(({ stock }) => stock.confirmed)],
  ], [seen]);
  return <Plot title="Units since this page was opened" at_s={at_s} lines={LINES} values={values} />;
}

function Terms({ told }: { told: Told }) {
  const rows: [string, string][] = [
    ["Limit per buyer", count(told.limit)],
    ["Pay window", told.hold_ms === undefined ? "none: confirmed at once" : span(told.hold_ms)],
    ["Opens", told.opens_at_ms === undefined ? "at once" : time(told.opens_at_ms)],
    ["Closes", told.closes_at_ms === undefined ? "by hand" : time(told.closes_at_ms)],
    ["Epoch", count(told.epoch)],
    ["Events", `${count(told.seq)}, of which PostgreSQL has ${count(told.acked)}`],
    ["Journal", `${count(told.journal_events)} of ${count(told.journal_events_max)} events`],
  ];
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

function Form({ sale }: { sale: string }) {
  const { value } = useLook((signal) => showForm(sale, signal), [sale]);
  if (value === undefined) return null;
  return <details><summary>The form that its reservations follow</summary><pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre></details>;
}

function Actions({ stock, again }: { stock: Stock; again: () => void }) {
  const [asked, setAsked] = useState<"restock" | "switch">();
  const close = () => setAsked(undefined);
  const done = () => {
    close();
    again();
  };
  const isClosed = stock.phase === "closed";
  const isSwitched = isClosed || stock.phase === "open" || stock.phase === "not_started";
  return (
    <>
      <span class="fill" />
      {stock.phase !== "ended" && <button type="button" onClick={() => setAsked("restock")}>Restock</button>}
      {isSwitched && <button type="button" onClick={() => setAsked("switch")}>{isClosed ? "Open" : "Close"}</button>}
      {asked === "restock" && <Restock stock={stock} done={done} close={close} />}
      {asked === "switch" && <Switch sale={stock.sale} isClosed={isClosed} done={done} close={close} />}
    </>
  );
}

interface AskProps {
  done: () => void;
  close: () => void;
}

function Switch({ sale, isClosed, done, close }: AskProps & { sale: string; isClosed: boolean }) {
  const act = useAct(() => (isClosed ? openSale(sale) : closeSale(sale)), done);
  return (
    <Dialog title={isClosed ? `Open ${sale} again?` : `Close ${sale}?`} act={act} verb={isClosed ? "Open" : "Close the sale"}
      kind={isClosed ? "main" : "danger"} close={close}>
      <p>{isClosed ? "It sells at once, within its window." : "It sells nothing more. What is held may still be paid for."}</p>
    </Dialog>
  );
}

function Restock({ stock, done, close }: AskProps & { stock: Stock }) {
  const [sku, setSku] = useState(stock.skus[0]?.sku ?? "");
  const [delta, setDelta] = useState("");
  const act = useAct((key) => restock(stock.sale, { ...(stock.skus.length > 1 && { sku }), delta: Number(delta) }, key), done);
  const available = stock.skus.find((one) => one.sku === sku)?.available;
  return (
    <Dialog title={`Restock ${stock.sale}`} act={act} verb="Restock" shown={["sku", "delta"]} close={close}>
      {stock.skus.length > 1 && (
        <Field name="sku" label="SKU" failure={act.failure}>
          {(attributes) => (
            <select {...attributes} value={sku} onChange={(event) => setSku(event.currentTarget.value)}>
              {stock.skus.map((one) => <option key={one.sku} value={one.sku}>{one.sku}</option>)}
            </select>
          )}
        </Field>
      )}
      <Field name="delta" label="Units more, or less" failure={act.failure} hint={`At most the ${count(available)} available ones can be taken off.`}>
        {(attributes) => (
          <input {...attributes} type="number" required value={delta} onInput={(event) => setDelta(event.currentTarget.value)} />
        )}
      </Field>
    </Dialog>
  );
}
