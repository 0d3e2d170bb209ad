import type { ComponentChildren } from "preact";

import { sales } from "../api/routes";
import type { Sale, SaleNotInRedis } from "../api/types";
import { useLook } from "../api/use_look";
import { Field } from "../parts/form";
import { Empty, Seen } from "../parts/seen";
import { Badge, Bar } from "../parts/stock";
import { Pages, Table } from "../parts/table";
import { go, to } from "../route";
import { count, time } from "../words";

const EVERY_MS = 2_000;
const PAGE_ROWS = 25;

/** All sales, with their stock. */
export function Sales({ query }: { query: URLSearchParams }) {
  const after = query.get("after") ?? undefined;
  const look = useLook((signal) => sales(after, PAGE_ROWS, signal), [after], EVERY_MS);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Sales</h1>
        <a class="button main" href="#/new">New sale</a>
      </div>
      <Seen look={look} what="the list of sales">
        {({ sales }) => sales.length === 0 ? <None isFirst={after === undefined} /> : (
          <>
            <Table label="Sales" columns={COLUMNS} rows={sales} keyOf={({ sale }) => sale} />
            <Pages isFirst={after === undefined} first={to(["sales"])} next={next(sales)} />
          </>
        )}
      </Seen>
      <ById />
    </>
  );
}

type Row = Sale | SaleNotInRedis;

function next(sales: Row[]): string | undefined {
  const last = sales.at(-1)?.sale;
  return sales.length < PAGE_ROWS || last === undefined ? undefined : to(["sales"], { after: last });
}

/** A cell of what only Redis knows. */
const inRedis = (cell: (sale: Sale) => ComponentChildren) => (row: Row) => (row.phase === undefined ? "–" : cell(row));

const COLUMNS = [
  { head: "Sale", cell: ({ sale }: Row) => <a href={to(["sales", sale])}>{sale}</a> },
  { head: "Phase", cell: (row: Row) => (row.phase === undefined ? "not in Redis" : <Badge of={row.phase} />) },
  { head: "Stock", cell: inRedis((sale) => <Bar units={sale} label={sale.sale} />) },
  { head: "Available", isNumber: true, cell: inRedis(({ available, total }) => `${count(available)} of ${count(total)}`) },
  { head: "Held", isNumber: true, cell: inRedis(({ held }) => count(held)) },
  { head: "Confirmed", isNumber: true, cell: inRedis(({ confirmed }) => count(confirmed)) },
  { head: "Opens", cell: inRedis(({ opens_at_ms }) => (opens_at_ms === undefined ? "at once" : time(opens_at_ms))) },
  { head: "Closes", cell: inRedis(({ closes_at_ms }) => (closes_at_ms === undefined ? "by hand" : time(closes_at_ms))) },
];

function None({ isFirst }: { isFirst: boolean }) {
  if (!isFirst) return <Empty title="There are no more sales."><p><a href="#/sales">First page</a></p></Empty>;
  return <Empty title="There are no sales yet."><p><a class="button main" href="#/new">Create the first one</a></p></Empty>;
}

function ById() {
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    const id = String(new FormData(event.currentTarget as HTMLFormElement).get("sale") ?? "").trim();
    if (id !== "") go(to(["sales", id]));
  };
  return (
    <form class="narrow" onSubmit={open}>
      <Field name="sale" label="A sale by its id">
        {(attributes) => <div class="row"><input {...attributes} required spellcheck={false} autocapitalize="off" /><button type="submit">Show</button></div>}
      </Field>
    </form>
  );
}
