// A reservation's way, as far as Redis and PostgreSQL tell it together.

import type { Order, Reservation, Sale } from "../api/types";
import { count, items, span } from "../words";

/** One station of the way. */
export interface Step {
  place: "Redis" | "Journal" | "Queue" | "PostgreSQL";
  what: string;
  isDone: boolean;
  /** None: it has not happened yet, or its time was not recorded. */
  at_ms?: number | undefined;
}

/** The stations in their order. Without `order`, PostgreSQL does not have the reservation yet. */
export function story(told: Reservation, order: Order | undefined, sale: Sale): Step[] {
  const seq = Number(told.id.split("-")[0]);
  const ended_at_ms = order?.ended_at_ms;
  if (told.state === "rejected") {
    const refused = `refused: ${told.reason ?? "unknown reason"}. PostgreSQL has the last word`;
    return [reserved(told, order, seq), { place: "PostgreSQL", what: refused, isDone: true, at_ms: ended_at_ms }];
  }
  const steps = [reserved(told, order, seq)];
  if (order === undefined && seq > sale.acked) {
    const before = sale.journal_events > 1 ? `, with ${count(sale.journal_events - 1)} others` : "";
    steps.push({ place: "Journal", what: `waits for PostgreSQL${before}`, isDone: false });
  } else if (seq <= sale.acked) {
    steps.push({ place: "Journal", what: "let go of it: PostgreSQL had committed it", isDone: true });
  } else {
    steps.push({ place: "Journal", what: "keeps it until the syncer says that it is committed", isDone: false });
  }
  const carries = order ? carried(order) : "carries it to a syncer";
  steps.push({ place: "Queue", what: carries, isDone: order !== undefined, at_ms: order?.published_at_ms });
  const isEndApart = order !== undefined && endsApart(order);
  const first = isEndApart ? "held" : order?.state;
  const what = first ? `has it as ${first}` : "does not have it yet";
  steps.push({ place: "PostgreSQL", what, isDone: order !== undefined, at_ms: order?.written_at_ms });
  if (told.state === "held") {
    steps.push({ place: "Redis", what: "is to be confirmed or released, or expires", isDone: false, at_ms: told.expires_at_ms });
  } else if (told.expires_at_ms !== undefined) {
    const written = told.persisted === false ? ", which PostgreSQL does not have yet" : "";
    steps.push({ place: "Redis", what: told.state + written, isDone: true, at_ms: ended_at_ms });
  }
  if (isEndApart) steps.push({ place: "PostgreSQL", what: `has it as ${order.state}`, isDone: true, at_ms: order.end_written_at_ms });
  return steps;
}

/** Whether PostgreSQL had the hold before it had its end: then each has a time of its own. */
function endsApart({ state, expires_at_ms, written_at_ms, end_written_at_ms }: Order): boolean {
  return state !== "held" && expires_at_ms !== undefined && (end_written_at_ms === undefined || end_written_at_ms !== written_at_ms);
}

/** What a journal waits with for too long goes past the queue; nor did older releases say when they gave it to the queue. */
function carried({ reserved_at_ms, published_at_ms, written_at_ms }: Order): string {
  if (published_at_ms === undefined) {
    return `carried it to a syncer, or a gateway wrote it past the queue${lasted([[reserved_at_ms, written_at_ms, "from the event to PostgreSQL"]])}`;
  }
  const ways = lasted([[reserved_at_ms, published_at_ms, "from the event to the queue"], [published_at_ms, written_at_ms, "from there to PostgreSQL"]]);
  return `carried it to a syncer${ways}`;
}

/** How long ways took. Each begins by one clock and ends by another: where those do not agree, the duration is unknown. */
function lasted(ways: [number | undefined, number | undefined, string][]): string {
  const known = ways.flatMap(([from, to, way]) => (from === undefined || to === undefined || to < from ? [] : [`${span(to - from)} ${way}`]));
  return known.length === 0 ? "" : `: ${known.join(", ")}`;
}

function reserved(told: Reservation, order: Order | undefined, seq: number): Step {
  const epoch = order ? ` of epoch ${count(order.epoch)}` : "";
  const how = told.expires_at_ms === undefined && told.state !== "rejected" ? "reserved, and confirmed at once" : "reserved";
  return { place: "Redis", what: `${how}: event ${count(seq)}${epoch}, ${items(told.items)}`, isDone: true, at_ms: order?.reserved_at_ms };
}
