// The routes that the console uses, one function each.

import { call, text } from "./client";
import type * as Said from "./types";

const part = encodeURIComponent;
const sale = (id: string) => `/v1/sales/${part(id)}`;

function query(values: Record<string, string | number | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const pairs = given.map(([name, value]) => `${name}=${part(String(value))}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

// Sales

export const sales = (after: string | undefined, limit: number, signal: AbortSignal) =>
  call<{ sales: (Said.Sale | Said.SaleNotInRedis)[] }>(`/v1/sales${query({ after, limit })}`, undefined, signal);
export const showSale = (id: string, signal: AbortSignal) => call<Said.Sale>(sale(id), undefined, signal);
export const showForm = (id: string, signal: AbortSignal) => call<unknown>(`${sale(id)}/form`, undefined, signal);
export const stockEvents = (id: string) => `${sale(id)}/events`;
export const createSale = (body: Said.NewSale, idempotencyKey: string) =>
  call<{ sale: string }>("/v1/sales", { method: "POST", body, idempotencyKey });
export const restock = (id: string, body: { sku?: string; delta: number }, idempotencyKey: string) =>
  call<{ total: number; available: number }>(`${sale(id)}/restock`, { method: "POST", body, idempotencyKey });
export const openSale = (id: string) => call<unknown>(`${sale(id)}/open`, { method: "POST" });
export const closeSale = (id: string) => call<unknown>(`${sale(id)}/close`, { method: "POST" });

// Reservations

export interface Wanted {
  state?: string;
  buyer?: string;
  before?: number;
  limit: number;
}

export const reservations = (id: string, wanted: Wanted, signal: AbortSignal) =>
  call<{ reservations: Said.Order[] }>(`${sale(id)}/reservations${query({ ...wanted })}`, undefined, signal);
export const showReservation = (of: string, id: string, signal: AbortSignal) =>
  call<Said.Reservation>(`${sale(of)}/reservations/${part(id)}`, undefined, signal);
/** With the reference of what was paid elsewhere; a sale without a price takes none. */
export const confirm = (of: string, id: string, reference: string, idempotencyKey: string) =>
  call<Said.Reservation>(`${sale(of)}/reservations/${part(id)}/confirm`, {
    method: "POST",
    idempotencyKey,
    ...(reference !== "" && { body: { payment: "external", reference } }),
  });
export const release = (of: string, id: string, idempotencyKey: string) =>
  call<Said.Reservation>(`${sale(of)}/reservations/${part(id)}`, { method: "DELETE", idempotencyKey });

// Payments

export const payments = (state: string, after: string, limit: number, signal: AbortSignal) =>
  call<{ payments: Said.Payment[] }>(`/v1/payments${query({ state, after, limit })}`, undefined, signal);
export const refunded = (payment: number, reference: string) =>
  call<Said.Payment>(`/v1/payments/${payment}/refunded`, { method: "POST", body: { reference } });

// Keys

export const whoami = (signal: AbortSignal) => call<Said.Caller>("/v1/whoami", undefined, signal);

// Flow

export const metrics = (signal: AbortSignal) => text("/metrics", signal);
export const relay = (signal: AbortSignal) => call<{ sales: Said.Relayed[] }>("/v1/relay", undefined, signal);
export const syncers = (signal: AbortSignal) => call<{ syncers: Said.Syncer[] }>("/v1/syncers", undefined, signal);
export const quarantine = (after: string, limit: number, signal: AbortSignal) =>
  call<{ rows: Said.Quarantined[] }>(`/v1/quarantine${query({ after, limit })}`, undefined, signal);
export const quarantined = (id: number, signal: AbortSignal) =>
  call<Said.QuarantinedWhole>(`/v1/quarantine/${id}`, undefined, signal);
export const replay = (id: number) =>
  call<{ outcome: string; reason?: string }>(`/v1/quarantine/${id}/replay`, { method: "POST" });
export const discard = (id: number) => call<unknown>(`/v1/quarantine/${id}/discard`, { method: "POST" });
export const audit = (signal: AbortSignal) => call<Said.Audit>("/v1/audit", undefined, signal);

// Health

export const ready = (signal: AbortSignal) => call<Said.Readiness>("/readyz?verbose", undefined, signal);
export const health = (signal: AbortSignal) => call<Said.Health>("/v1/health", undefined, signal);
/** As much of the OpenAPI document as the console reads. */
export interface Told {
  info: { version: string };
  paths: Record<string, Record<string, unknown>>;
}

export const document = (signal: AbortSignal) => call<Told>("/openapi.json", undefined, signal);

// Simulator

export const simulate = (body: Said.Settings) => call<{ id: string }>("/v1/simulations", { method: "POST", body });
export const simulation = (id: string, signal: AbortSignal) =>
  call<Said.Simulation>(`/v1/simulations/${part(id)}`, undefined, signal);
export const stopSimulation = (id: string) => call<unknown>(`/v1/simulations/${part(id)}`, { method: "DELETE" });
export const fault = (name: string) => call<unknown>(`/v1/faults/${part(name)}`, { method: "POST" });
