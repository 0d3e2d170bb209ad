import { type RetryLimits } from "./retry.js";
import { type Stock } from "./stock.js";
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
    items?: {
        sku: string;
        quantity?: number;
    }[];
    data?: unknown;
    /** The request's own id, for a repeat after a restart of the program. By default, a new one. */
    idempotencyKey?: string;
}
export type Payment = {
    payment: "balance";
} | {
    payment: "external";
    reference: string;
    amount?: number;
    currency?: string;
    buyer?: string;
};
export interface Options {
    /** A buyer's token or an API key; a function is asked before each request. */
    token?: string | (() => string | Promise<string>);
    retry?: Partial<RetryLimits>;
}
/** A gateway of Flash. */
export declare class Flash {
    #private;
    constructor(url: string, options?: Options);
    /** Reserves all or nothing. Retries carry one idempotency key, so that they reserve once. */
    reserve(sale: string, wish?: Wish, signal?: AbortSignal): Promise<Reservation>;
    show(sale: string, id: string, signal?: AbortSignal): Promise<Reservation>;
    /** A sale without a price needs no payment. A repeat gets the same answer. */
    confirm(sale: string, id: string, payment?: Payment, signal?: AbortSignal): Promise<Reservation>;
    release(sale: string, id: string, signal?: AbortSignal): Promise<Reservation>;
    /** Yields the stock now and after each change, until the sale has ended. */
    watch(sale: string, signal?: AbortSignal): AsyncGenerator<Stock>;
}
