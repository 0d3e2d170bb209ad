import { useState } from "preact/hooks";

import { confirm, release, reservations, showReservation, showSale } from "../api/routes";
import type { Reservation as Told } from "../api/types";
import { useAct } from "../api/use_act";
import { useLook } from "../api/use_look";
import { Dialog, Field } from "../parts/form";
import { Seen, useNow } from "../parts/seen";
import { Badge } from "../parts/stock";
import { to } from "../route";
import { items, moment, number, span, time } from "../words";
import { type Step, story } from "./story";

const EVERY_MS = 2_000;

/** One reservation, and its way from Redis to PostgreSQL. */
export function Reservation({ sale, id }: { sale: string; id: string }) {
  const look = useLook((signal) => showReservation(sale, id, signal), [sale, id], EVERY_MS);
  const way = useLook((signal) => wayOf(sale, id, signal), [sale, id], EVERY_MS);
  return (
    <>
      <p class="crumbs"><a href="#/sales">Sales</a> / <a href={to(["sales", sale])}>{sale}</a> /</p>
      <h1 tabIndex={-1}>Reservation {number(id)}</h1>
      <Seen look={look} what="this reservation">{(told) => <Body told={told} id={id} again={look.again} />}</Seen>
      <section aria-labelledby="story">
        <h2 id="story">Its story</h2>
        <Seen look={way} what="a reservation's story">{(steps) => <Story steps={steps} />}</Seen>
      </section>
    </>
  );
}

/** What PostgreSQL has of it is asked for first: then whatever it lacks was still on its way. */
async function wayOf(sale: string, id: string, signal: AbortSignal): Promise<Step[]> {
  const seq = id.split("-")[0] ?? "";
  const written = await reservations(sale, { before: Number(seq) + 1, limit: 2 }, signal);
  const [told, of] = await Promise.all([showReservation(sale, id, signal), showSale(sale, signal)]);
  const orders = written.reservations.filter((order) => order.id.split("-")[0] === seq);
  const order = orders.find(({ state }) => (state === "rejected") === (told.state === "rejected"));
  return story(told, order, of);
}

function Body({ told, id, again }: { told: Told; id: string; again: () => void }) {
  const now = useNow();
  const left = told.expires_at_ms === undefined ? undefined : Math.max(told.expires_at_ms - now, 0);
  const rows: [string, string][] = [
    ["Buyer", told.buyer ?? "–"],
    ["Items", items(told.items)],
    ["In PostgreSQL", told.persisted === undefined ? "not known" : told.persisted ? "yes, in this state" : "not yet"],
  ];
  if (told.state === "held") rows.push(["Held for", `${span(left)} more, until ${time(told.expires_at_ms)}`]);
  if (told.reason !== undefined) rows.push(["Why it was refused", told.reason]);
  return (
    <>
      <div class="row"><Badge of={told.state} />{told.state === "held" && <Actions told={told} id={id} again={again} />}</div>
      <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </>
  );
}

function Actions({ told, id, again }: { told: Told; id: string; again: () => void }) {
  const [asked, setAsked] = useState<"confirm" | "release">();
  const close = () => setAsked(undefined);
  const [reference, setReference] = useState("");
  const change = (key: string) => (asked === "release" ? release(told.sale, id, key) : confirm(told.sale, id, reference.trim(), key));
  const act = useAct(change, () => {
    close();
    again();
  });
  return (
    <>
      <span class="fill" />
      <button type="button" onClick={() => setAsked("confirm")}>Confirm</button>
      <button type="button" onClick={() => setAsked("release")}>Release</button>
      {asked === "confirm" && (
        <Dialog title="Confirm it?" act={act} verb="Confirm" shown={["payment", "reference"]} close={close}>
          <p>It counts as paid for: elsewhere, not from the buyer's balance.</p>
          <Field name="reference" label="Reference of the payment" hint="What the payment service calls it. A sale without a price needs none." failure={act.failure}>
            {(attributes) => <input {...attributes} value={reference} onInput={(event) => setReference(event.currentTarget.value)} autocomplete="off" spellcheck={false} />}
          </Field>
          {act.failure?.fields().has("payment") && <p class="error">{act.failure.fields().get("payment")}</p>}
        </Dialog>
      )}
      {asked === "release" && (
        <Dialog title="Release it?" act={act} verb="Release it" kind="danger" close={close}><p>Its units are available again, for anyone.</p></Dialog>
      )}
    </>
  );
}

function Story({ steps }: { steps: Step[] }) {
  return (
    <ol class="story">
      {steps.map(({ place, what, isDone, at_ms }, at) => (
        <li key={at} class={isDone ? "" : "to-come"}>
          <span class="place">{place}</span> {what}
          <div class="hint">{at_ms === undefined ? (isDone ? "" : "not yet") : `${isDone ? "" : "until "}${moment(at_ms)}`}</div>
        </li>
      ))}
    </ol>
  );
}
