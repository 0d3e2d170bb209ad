// The audit, always in sight: total = available + held + confirmed, and Redis = journal = PostgreSQL.

import { audit } from "../api/routes";
import type { Audit, Audited, Finding, Units } from "../api/types";
import { useLook } from "../api/use_look";
import { count, span } from "../words";
import { useNow } from "./seen";
import { Badge } from "./stock";

const EVERY_MS = 5_000;
/** An audit that is older says nothing about now. */
const FRESH_MS = 60_000;

export function Strip({ sale }: { sale: string | undefined }) {
  const { value, failure } = useLook(audit, [], EVERY_MS);
  const now = useNow();
  if (value === undefined) return <Silent why={failure ? silence(failure.isAbsent, failure.isLocked) : "Looking for the audit …"} />;
  const ofSale = value.sales.filter((audited) => audited.sale === sale);
  const shown = ofSale.length > 0 ? ofSale : value.sales;
  const age = Math.max(now - value.at_ms, 0);
  const isFresh = failure === undefined && age < FRESH_MS;
  const verdict = isFresh ? worst(shown, value) : "unknown";
  const name = ofSale.length > 0 ? sale : howMany(value);
  return (
    <details class={`strip is-${verdict}`}>
      <summary>
        <Badge of={verdict} />
        <span class="of">{name}</span>
        <Sums shown={shown} />
        <span class="age">{failure ? "reconnecting; " : ""}audited {span(age)} ago{parts(value, now)}</span>
      </summary>
      <Findings shown={shown} others={value.findings} />
    </details>
  );
}

function howMany({ sales, known_sales }: Audit): string {
  const looked = known_sales === undefined || known_sales <= sales.length ? "" : `${count(sales.length)} of `;
  const all = known_sales === undefined ? sales.length : Math.max(known_sales, sales.length);
  return `${looked}${count(all)} ${all === 1 ? "sale" : "sales"}`;
}

/** Where there are many sales, an audit tells of some what earlier ones have found. */
function parts({ at_ms, oldest_at_ms }: Audit, now: number): string {
  return oldest_at_ms === undefined || oldest_at_ms >= at_ms ? "" : `, some of it ${span(Math.max(now - oldest_at_ms, 0))} ago`;
}

function Silent({ why }: { why: string }) {
  return <p class="strip is-unknown" role="status"><Badge of="unknown" /> <span>{why}</span></p>;
}

function silence(isAbsent: boolean, isLocked: boolean): string {
  if (isAbsent) return "This gateway does not audit. “flash audit” does.";
  if (isLocked) return "The audit is for operators: the console needs a key.";
  return "Reconnecting: the audit is not known.";
}

function worst(shown: Audited[], { sales, verdict }: Audit): Audit["verdict"] {
  if (shown === sales) return verdict;
  const all = shown.map((audited) => audited.verdict);
  return all.includes("drift") ? "drift" : all.includes("unknown") ? "unknown" : "whole";
}

function Sums({ shown }: { shown: Audited[] }) {
  const skus = shown.flatMap((audited) => audited.skus);
  const sum = (name: keyof Units | "ordered") => skus.reduce((sum, sku) => sum + sku[name], 0);
  const [total, available, held, confirmed] = [sum("total"), sum("available"), sum("held"), sum("confirmed")];
  const sign = total === available + held + confirmed ? "=" : "≠";
  const coming = shown.reduce((sum, { seq, head }) => sum + (seq === undefined ? 0 : Math.max(seq - head, 0)), 0);
  return (
    <>
      <span class="sum" title="total = available + held + confirmed">
        {count(total)} {sign} {count(available)} <i>available</i> + {count(held)} <i>held</i> + {count(confirmed)} <i>confirmed</i>
      </span>
      <span class="sum" title="Units taken, by Redis and by PostgreSQL, and events between them">
        Redis {count(held + confirmed)} · journal {count(coming)} <i>on their way</i> · PostgreSQL {count(sum("ordered"))}
      </span>
    </>
  );
}

function Findings({ shown, others }: { shown: Audited[]; others: Finding[] }) {
  const ofSales = shown.flatMap(({ sale, findings }) => findings.map((finding) => ({ sale, ...finding })));
  const found = [...others.map((finding) => ({ sale: "no sale", ...finding })), ...ofSales];
  if (found.length === 0) return <p>Nothing was found that should not be.</p>;
  return (
    <ul>
      {found.map(({ sale, kind, detail, advice }) => (
        <li key={`${sale}/${kind}/${detail}`}><strong>{sale}</strong> {kind}: {detail}. <i>{advice}</i></li>
      ))}
    </ul>
  );
}
