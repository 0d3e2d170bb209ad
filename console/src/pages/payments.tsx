import { useState } from "preact/hooks";

import { payments, refunded } from "../api/routes";
import type { Payment, PaymentState } from "../api/types";
import { useAct } from "../api/use_act";
import { useLook } from "../api/use_look";
import { Dialog, Field } from "../parts/form";
import { Empty, Seen } from "../parts/seen";
import { Pages, Table } from "../parts/table";
import { go, to } from "../route";
import { count, phrase } from "../words";

const EVERY_MS = 5_000;
const PAGE_ROWS = 25;
const STATES: PaymentState[] = ["pending", "settled", "refund_due", "refunded"];

/** What was paid, and what is to be paid back; the filter is in the address. */
export function Payments({ query }: { query: URLSearchParams }) {
  const [state, after] = [query.get("state") ?? "", query.get("after") ?? ""];
  const look = useLook((signal) => payments(state, after, PAGE_ROWS, signal), [state, after], EVERY_MS);
  const columns = [
    { head: "Payment", cell: ({ payment }: Payment) => count(payment), isNumber: true },
    { head: "State", cell: ({ state, reason }: Payment) => (reason === undefined ? phrase(state) : `${phrase(state)}: ${phrase(reason)}`) },
    { head: "Amount", cell: ({ amount, currency }: Payment) => `${count(amount)} ${currency ?? ""}`, isNumber: true },
    { head: "Reference", cell: ({ reference, means }: Payment) => <span class="name">{reference ?? means}</span> },
    { head: "Reservation", cell: ({ sale, id }: Payment) => <a href={to(["sales", sale, "reservations", id])}>{`${sale}, ${count(id)}`}</a> },
    { head: "Buyer", cell: ({ buyer }: Payment) => <span class="name">{buyer ?? "–"}</span> },
    { head: "Made", cell: ({ at }: Payment) => at },
    { head: "Refund", cell: (row: Payment) => (row.state === "refund_due" ? <PaidBack row={row} again={look.again} /> : (row.refund_reference ?? "–")) },
  ];
  const filter = (event: Event) => go(to(["payments"], { state: (event.currentTarget as HTMLSelectElement).value }));
  return (
    <>
      <h1 tabIndex={-1}>Payments</h1>
      <form class="row filters" onSubmit={(event) => event.preventDefault()}>
        <Field name="state" label="State">
          {(attributes) => (
            <select {...attributes} onChange={filter}>
              <option value="">any</option>
              {STATES.map((name) => <option key={name} value={name} selected={name === state}>{phrase(name)}</option>)}
            </select>
          )}
        </Field>
      </form>
      <Seen look={look} what="the payments">
        {({ payments: rows }) => rows.length === 0 ? <Empty title={state === "" && after === "" ? "No payments yet." : "No payment matches."} /> : (
          <>
            <Table label="Payments" columns={columns} rows={rows} keyOf={({ payment }) => payment} />
            <Pages isFirst={after === ""} first={to(["payments"], { state })} next={rows.length < PAGE_ROWS ? undefined : to(["payments"], { state, after: String(rows.at(-1)?.payment ?? "") })} />
          </>
        )}
      </Seen>
    </>
  );
}

function PaidBack({ row, again }: { row: Payment; again: () => void }) {
  const [asked, setAsked] = useState(false);
  const [reference, setReference] = useState("");
  const close = () => setAsked(false);
  const act = useAct(() => refunded(row.payment, reference.trim()), () => {
    close();
    again();
  });
  return (
    <>
      <button type="button" onClick={() => setAsked(true)}>Paid back</button>
      {asked && (
        <Dialog title={`Was payment ${row.payment} paid back?`} act={act} verb="Record it" shown={["reference"]} close={close}>
          <p>The payment service has paid it back. Flash moves no money here.</p>
          <Field name="reference" label="Reference of the refund" hint="What the payment service calls it." failure={act.failure}>
            {(attributes) => <input {...attributes} value={reference} onInput={(event) => setReference(event.currentTarget.value)} autocomplete="off" spellcheck={false} required />}
          </Field>
        </Dialog>
      )}
    </>
  );
}
