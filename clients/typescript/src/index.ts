import { RETRY_LIMITS, send, type RetryLimits } from "./retry.js";
import { watch, type Stock } from "./stock.js";

export { ProblemError, UnknownOutcomeError, type FieldError, type Problem } from "./problem.js";
export type { RetryLimits } from "./retry.js";
export type { Stock, Units } from "./stock.js";

export interface Item {
    sku: string;
    quantity: number;
}

export interface Reservation {
    sale: string;
    id: string;
    state: "held" | "confirmed" | "released" | "expired" | "rejected";
    expires_at_ms?: number;
    expires_in_ms?: number;
    available?: number;
    buyer?: string;
    items?: Item[];
    reason?: string;
    persisted?: boolean;
}

/** Either `quantity`, of the sale's only SKU, or `items`; neither is one unit. */
export interface Wish {
    /** Required unless a token names the buyer. */
    buyer?: string;
    quantity?: number;
    items?: { sku: string; quantity?: number }[];
    data?: unknown;
    /** The request's own id, for a repeat after a restart of the program. By default, a new one. */
    idempotencyKey?: string;
}

export type Payment =
    | { payment: "balance" }
    | { payment: "external"; reference: string; amount?: number; currency?: string; buyer?: string };

export interface Options {
    /** A buyer's token or an API key; a function is asked before each request. */
    token?: string | (() => string | Promise<string>);
    retry?: Partial<RetryLimits>;
}

/** A gateway of Flash. */
export class Flash {
    readonly #url: string;
    readonly #token: Options["token"];
    readonly #limits: RetryLimits;

    constructor(url: string, options: Options = {}) {
        this.#url = url.replace(/\/+$/, "");
        this.#token = options.token;
        this.#limits = { ...RETRY_LIMITS, ...options.retry };
    }

    /** Reserves all or nothing. Retries carry one idempotency key, so that they reserve once. */
    async reserve(sale: string, wish: Wish = {}, signal?: AbortSignal): Promise<Reservation> {
        const { idempotencyKey = newKey(), ...body } = wish;
        return this.#ask("POST", `/v1/sales/${part(sale)}/reservations`, { body, idempotencyKey, signal });
    }

    async show(sale: string, id: string, signal?: AbortSignal): Promise<Reservation> {
        return this.#ask("GET", path(sale, id), { signal });
    }

    /** A sale without a price needs no payment. A repeat gets the same answer. */
    async confirm(sale: string, id: string, payment?: Payment, signal?: AbortSignal): Promise<Reservation> {
        return this.#ask("POST", `${path(sale, id)}/confirm`, { body: payment, signal });
    }

    async release(sale: string, id: string, signal?: AbortSignal): Promise<Reservation> {
        return this.#ask("DELETE", path(sale, id), { signal });
    }

    /** Yields the stock now and after each change, until the sale has ended. */
    watch(sale: string, signal?: AbortSignal): AsyncGenerator<Stock> {
        return watch(`${this.#url}/v1/sales/${part(sale)}/events`, signal);
    }

    async #ask(method: string, at: string, asked: Asked): Promise<Reservation> {
        const headers: Record<string, string> = { accept: "application/json", "flash-request": "1" };
        const token = typeof this.#token === "function" ? await this.#token() : this.#token;
        if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
        if (asked.idempotencyKey !== undefined) headers["idempotency-key"] = asked.idempotencyKey;
        const init: RequestInit = { method, headers, credentials: "omit" };
        if (asked.body !== undefined) {
            headers["content-type"] = "application/json";
            init.body = JSON.stringify(asked.body);
        }
        if (asked.signal) init.signal = asked.signal;
        const response = await send(this.#url + at, init, this.#limits);
        return (await response.json()) as Reservation;
    }
}

interface Asked {
    body?: unknown;
    idempotencyKey?: string;
    signal?: AbortSignal | undefined;
}

/** `randomUUID` exists only in pages that came by TLS; these bytes exist in all of them. */
function newKey(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function part(text: string): string {
    return encodeURIComponent(text);
}

function path(sale: string, id: string): string {
    return `/v1/sales/${part(sale)}/reservations/${part(id)}`;
}
