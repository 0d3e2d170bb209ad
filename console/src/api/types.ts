// What the API says, as the OpenAPI document has it.

export type Phase = "not_started" | "open" | "closed" | "ended" | "fenced";
export type State = "held" | "confirmed" | "released" | "expired" | "rejected";

export interface Units {
  total: number;
  available: number;
  held: number;
  confirmed: number;
}

export interface Sku extends Units {
  sku: string;
}

export interface Stock extends Units {
  sale: string;
  epoch: number;
  seq: number;
  phase: Phase;
  skus: Sku[];
}

export interface Sale extends Stock {
  limit: number;
  hold_ms?: number;
  opens_at_ms?: number;
  closes_at_ms?: number;
  acked: number;
  journal_events: number;
  journal_events_max?: number;
}

/** Redis does not have it: it is long over, or is being brought back. */
export interface SaleNotInRedis {
  sale: string;
  phase?: never;
}

export interface NewSale {
  sale?: string;
  total?: number;
  skus?: { sku: string; total: number }[];
  limit?: number;
  hold_ms?: number;
  opens_at_ms?: number;
  closes_at_ms?: number;
  journal_events_max?: number;
  product?: string;
  form?: unknown;
}

export interface Reservation {
  sale: string;
  id: string;
  state: State;
  buyer?: string;
  items?: { sku: string; quantity: number }[];
  expires_at_ms?: number;
  expires_in_ms?: number;
  reason?: string;
  persisted?: boolean;
}

/** A reservation as PostgreSQL has it. */
export interface Order {
  id: string;
  epoch: number;
  buyer: string;
  state: State;
  items: { sku: string; quantity: number }[];
  reserved_at_ms?: number;
  expires_at_ms?: number;
  ended_at_ms?: number;
  /** When a gateway gave it to the queue. */
  published_at_ms?: number;
  /** When PostgreSQL wrote it first. */
  written_at_ms?: number;
  /** When PostgreSQL wrote the end of its hold. */
  end_written_at_ms?: number;
  reason?: string;
}

export type PaymentState = "pending" | "settled" | "refund_due" | "refunded";

/** A payment, by its number. */
export interface Payment {
  payment: number;
  sale: string;
  id: number;
  buyer?: string;
  means: "balance" | "external";
  amount?: number;
  currency?: string;
  reference?: string;
  state: PaymentState;
  /** Why it does not pay for its reservation. */
  reason?: string;
  refund_reference?: string;
  refunded_by?: string;
  at: string;
}

/** Who the gateway takes the console for. Without a holder no key is needed. */
export interface Caller {
  holder?: string;
  role: string;
}

/** A sale on its way to PostgreSQL. */
export interface Relayed {
  sale: string;
  seq: number;
  acked: number;
  journal_events: number;
  journal_events_max?: number;
  oldest_age_ms?: number;
  fenced: boolean;
  relay?: string;
}

export interface Syncer {
  name: string;
  paused: boolean;
  queued?: number;
  /** Events, since it began. */
  written?: number;
  /** Reservations that PostgreSQL refused, since it began. */
  rejected?: number;
  said_ms_ago: number;
}

export interface Quarantined {
  id: number;
  sale?: string;
  epoch?: number;
  seq?: number;
  at: string;
  bytes: number;
  reason: string;
}

/** With what it holds, also where it does not wait any more. */
export interface QuarantinedWhole extends Quarantined {
  body: string;
  replayed_at?: string;
  discarded_at?: string;
  discarded_by?: string;
}

export type Verdict = "whole" | "unknown" | "drift";

export interface Finding {
  kind: string;
  detail: string;
  advice: string;
}

/** One sale, as it was audited. */
export interface Audited {
  sale: string;
  verdict: Verdict;
  epoch?: number;
  seq?: number;
  acked?: number;
  head: number;
  skus: (Sku & { ordered: number })[];
  findings: Finding[];
}

export interface Audit {
  verdict: Verdict;
  at_ms: number;
  /** Before it began, where there are too many sales to look at all of them at once. An older gateway tells neither. */
  oldest_at_ms?: number;
  known_sales?: number;
  /** What belongs to no sale, and what kept it from its end. */
  findings: Finding[];
  sales: Audited[];
}

export interface Readiness {
  ready: boolean;
  checks?: { starting: boolean; draining: boolean; redis: string; rabbitmq?: string; postgres: string };
}

export interface Health {
  at_ms: number;
  versions: { name: string; version: string }[];
  findings: { check: string; level: "ok" | "warn" | "fail"; detail: string; advice?: string }[];
  /** Which faults may be made here; none outside development. */
  faults: string[];
}

export interface Settings {
  strategies: string[];
  buyers: number;
  units: number;
  concurrency: number;
  rate: number;
  seed: number;
}

/** What one strategy has come to: so far, or in the end. */
export interface Outcome {
  strategy: string;
  requests: number;
  sold: number;
  again: number;
  sold_out: number;
  errors: number;
  retries: number;
  oversold: number;
  /** Unknown until everything is counted. */
  undersold?: number;
  requests_per_s: number;
  mean_ms: number;
  p50_ms: number;
  p99_ms: number;
  p999_ms: number;
  max_ms: number;
  verdict?: string;
  done: boolean;
}

/** A moment of a strategy's run. */
export interface Moment {
  strategy: string;
  /** From its first request. */
  at_ms: number;
  available?: number;
  p99_ms: number;
  requests: number;
}

export interface Simulation {
  id: string;
  running: boolean;
  settings: Settings;
  outcomes: Outcome[];
  moments: Moment[];
  log: { at_ms: number; strategy: string; line: string }[];
}
