import { type Wanted, reservations } from "../api/routes";
import type { Order } from "../api/types";
import { useLook } from "../api/use_look";
import { Field } from "../parts/form";
import { Empty, Seen } from "../parts/seen";
import { Badge } from "../parts/stock";
import { Pages, Table } from "../parts/table";
import { go, to } from "../route";
import { items, number, time } from "../words";

const EVERY_MS = 3_000;
const PAGE_ROWS = 25;
const STATES = ["held", "confirmed", "released", "expired", "rejected"];

/** A sale's reservations, as PostgreSQL has them; the filters stand in the address. */
export function Reservations({ sale, query }: { sale: string; query: URLSearchParams }) {
  const [state, buyer, before] = [query.get("state") ?? "", query.get("buyer") ?? "", query.get("before") ?? ""];
  const wanted: Wanted = { state, buyer, limit: PAGE_ROWS, ...(before !== "" && { before: Number(before) }) };
  const look = useLook((signal) => reservations(sale, wanted, signal), [sale, state, buyer, before], EVERY_MS);
  const at = (changed: Record<string, string>) => to(["sales", sale], { state, buyer, ...changed });
  const columns = [
    { head: "Reservation", cell: ({ id }: Order) => <a href={to(["sales", sale, "reservations", id])}>{number(id)}</a> },
    { head: "Buyer", cell: ({ buyer }: Order) => <span class="name">{buyer}</span> },
    { head: "State", cell: ({ state }: Order) => <Badge of={state} /> },
    { head: "Items", cell: (order: Order) => items(order.items) },
    { head: "Reserved", cell: ({ reserved_at_ms }: Order) => time(reserved_at_ms) },
    { head: "Ended", cell: ({ ended_at_ms }: Order) => time(ended_at_ms) },
  ];
  const isFiltered = state !== "" || buyer !== "" || before !== "";
  return (
    <section aria-labelledby="reservations">
      <h2 id="reservations">Reservations</h2>
      <Filters key={`${state}/${buyer}`} state={state} buyer={buyer} show={(state, buyer) => go(at({ state, buyer }))} />
      <Seen look={look} what="this sale's reservations">
        {({ reservations: rows }) => rows.length === 0 ? (
          <Empty title={isFiltered ? "No reservation matches." : "No reservations yet."}>
            {isFiltered && <p><a href={to(["sales", sale])}>Show all</a></p>}
          </Empty>
        ) : (
          <>
            <Table label="Reservations" columns={columns} rows={rows} keyOf={({ id }) => id} />
            <Pages isFirst={before === ""} first={at({})} next={rows.length < PAGE_ROWS ? undefined : at({ before: rows.at(-1)?.id.split("-")[0] ?? "" })} />
          </>
        )}
      </Seen>
    </section>
  );
}

function Filters({ state, buyer, show }: { state: string; buyer: string; show: (state: string, buyer: string) => void }) {
  const filter = (event: Event) => {
    event.preventDefault();
    const form = (event.currentTarget as HTMLElement).closest("form");
    if (!form) return;
    const given = new FormData(form);
    show(String(given.get("state") ?? ""), String(given.get("buyer") ?? "").trim());
  };
  return (
    <form class="row filters" onSubmit={filter}>
      <Field name="state" label="State">
        {(attributes) => (
          <select {...attributes} onChange={filter}>
            <option value="">any</option>
            {STATES.map((name) => <option key={name} value={name} selected={name === state}>{name}</option>)}
          </select>
        )}
      </Field>
      <Field name="buyer" label="Buyer">
        {(attributes) => <input {...attributes} defaultValue={buyer} autocapitalize="off" spellcheck={false} />}
      </Field>
      <button type="submit">Filter</button>
    </form>
  );
}
