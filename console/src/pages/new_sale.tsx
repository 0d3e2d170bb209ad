import { useState } from "preact/hooks";

import { createSale } from "../api/routes";
import type { NewSale as Body } from "../api/types";
import { useAct } from "../api/use_act";
import { Field, Refused } from "../parts/form";
import { go, to } from "../route";

interface SkuRow {
  sku: string;
  total: string;
}

/** The content of the fields. */
interface Draft {
  sale: string;
  skus: SkuRow[];
  limit: string;
  hold_min: string;
  opens_at: string;
  closes_at: string;
  journal_events_max: string;
  product: string;
  form: string;
}

type Text = Exclude<keyof Draft, "skus">;

const NOTHING: Draft = {
  sale: "", skus: [{ sku: "", total: "100" }], limit: "1", hold_min: "10", opens_at: "", closes_at: "", journal_events_max: "",
  product: "", form: "",
};
const SHOWN = ["sale", "total", "skus", "limit", "hold_ms", "opens_at_ms", "closes_at_ms", "journal_events_max", "product", "form"];
const EXAMPLE = `{ "type": "object", "required": ["size"], "properties": { "size": { "enum": ["M", "L"] } } }`;

/** What the gateway is sent. It judges the terms; only a form that is no JSON cannot be sent. */
function body(draft: Draft): Body {
  const body: Body = {};
  const [first] = draft.skus;
  if (draft.skus.length === 1 && first?.sku.trim() === "") body.total = Number(first.total);
  else body.skus = draft.skus.map(({ sku, total }) => ({ sku: sku.trim(), total: Number(total) }));
  if (draft.sale.trim() !== "") body.sale = draft.sale.trim();
  if (draft.limit !== "") body.limit = Number(draft.limit);
  if (draft.hold_min !== "") body.hold_ms = Math.round(Number(draft.hold_min) * 60_000);
  if (draft.opens_at !== "") body.opens_at_ms = new Date(draft.opens_at).getTime();
  if (draft.closes_at !== "") body.closes_at_ms = new Date(draft.closes_at).getTime();
  if (draft.journal_events_max !== "") body.journal_events_max = Number(draft.journal_events_max);
  if (draft.product.trim() !== "") body.product = draft.product.trim();
  if (draft.form.trim() !== "") body.form = JSON.parse(draft.form);
  return body;
}

function notJson(form: string): string | undefined {
  if (form.trim() === "") return undefined;
  try {
    JSON.parse(form);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Creates a sale. */
export function NewSale() {
  const [draft, setDraft] = useState(NOTHING);
  const act = useAct((key) => createSale(body(draft), key), ({ sale }) => go(to(["sales", sale])));
  const wrong = notJson(draft.form);
  const field = (name: Text, of: string, label: string, hint: string, attributes: object) => (
    <Field name={of} label={label} hint={hint} failure={act.failure}>
      {(given) => (
        <input {...given} {...attributes} value={draft[name]} onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })} />
      )}
    </Field>
  );
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong === undefined) void act.run();
  };
  const id = { spellcheck: false, autocapitalize: "off" };
  return (
    <>
      <p class="crumbs"><a href="#/sales">Sales</a> /</p>
      <h1 tabIndex={-1}>New sale</h1>
      <form class="sheet" onSubmit={submit}>
        {field("sale", "sale", "Id", "Letters, digits, “.”, “_” and “-”. Left empty, the gateway chooses one.", { ...id, autofocus: true })}
        {field("product", "product", "Product", "The id of what is sold. It may be left empty.", id)}
        <Skus skus={draft.skus} failure={act.failure} change={(skus) => setDraft({ ...draft, skus })} />
        {field("limit", "limit", "Limit per buyer", "Units that one buyer may have.", { type: "number", min: 1 })}
        {field("hold_min", "hold_ms", "Pay window, in minutes", "How long a reservation is held. Left empty, it is confirmed at once.", { type: "number", min: 0, step: "any" })}
        {field("opens_at", "opens_at_ms", "Opens", "In your own time zone. Left empty: at once.", { type: "datetime-local", step: 1 })}
        {field("closes_at", "closes_at_ms", "Closes", "Left empty: by hand.", { type: "datetime-local", step: 1 })}
        {field("journal_events_max", "journal_events_max", "Journal, in events", "What may wait for PostgreSQL; the gateway has a default.", { type: "number", min: 1 })}
        <Field name="form" label="Form" hint="A JSON Schema (2020-12) that what buyers send along must follow." failure={act.failure}>
          {(given) => (
            <textarea {...given} rows={6} spellcheck={false} placeholder={EXAMPLE} value={draft.form}
              aria-invalid={wrong !== undefined || given["aria-invalid"]}
              onInput={(event) => setDraft({ ...draft, form: event.currentTarget.value })} />
          )}
        </Field>
        {wrong && <p class="error" role="status">It is no JSON: {wrong}</p>}
        <Refused failure={act.failure} shown={SHOWN} />
        <p class="row"><button type="submit" class="main" disabled={act.busy} aria-busy={act.busy}>Create the sale</button></p>
      </form>
    </>
  );
}

interface SkusProps {
  skus: SkuRow[];
  failure: ReturnType<typeof useAct>["failure"];
  change: (skus: SkuRow[]) => void;
}

function Skus({ skus, failure, change }: SkusProps) {
  const set = (at: number, row: Partial<SkuRow>) => change(skus.map((old, of) => (of === at ? { ...old, ...row } : old)));
  const error = failure?.fields().get("total") ?? failure?.fields().get("skus");
  return (
    <fieldset>
      <legend>Units</legend>
      {skus.map(({ sku, total }, at) => (
        <div class="row" key={at}>
          <input aria-label={`SKU ${at + 1}`} placeholder={skus.length === 1 ? "SKU, where there are several" : "SKU"} value={sku}
            required={skus.length > 1} spellcheck={false} onInput={(event) => set(at, { sku: event.currentTarget.value })} />
          <input aria-label={`Units of SKU ${at + 1}`} type="number" min={1} required value={total} class="short"
            onInput={(event) => set(at, { total: event.currentTarget.value })} />
          {skus.length > 1 && (
            <button type="button" class="plain" aria-label={`Leave out SKU ${at + 1}`} onClick={() => change(skus.filter((_, of) => of !== at))}>Leave out</button>
          )}
        </div>
      ))}
      <button type="button" class="plain" onClick={() => change([...skus, { sku: "", total: "" }])}>One more SKU</button>
      {error && <span class="error">{error}</span>}
    </fieldset>
  );
}
