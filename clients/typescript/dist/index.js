import { RETRY_LIMITS, send } from "./retry.js";
import { watch } from "./stock.js";
export { ProblemError, UnknownOutcomeError } from "./problem.js";
/** A gateway of Flash. */
export class Flash {
    #url;
    #token;
    #limits;
    constructor(url, options = {}) {
        this.#url = url.replace(/\/+$/, "");
        this.#token = options.token;
        this.#limits = { ...RETRY_LIMITS, ...options.retry };
    }
    /** Reserves all or nothing. Retries carry one idempotency key, so that they reserve once. */
    async reserve(sale, wish = {}, signal) {
        const { idempotencyKey = newKey(), ...body } = wish;
        return this.#ask("POST", `/v1/sales/${part(sale)}/reservations`, { body, idempotencyKey, signal });
    }
    async show(sale, id, signal) {
        return this.#ask("GET", path(sale, id), { signal });
    }
    /** A sale without a price needs no payment. A repeat gets the same answer. */
    async confirm(sale, id, payment, signal) {
        return this.#ask("POST", `${path(sale, id)}/confirm`, { body: payment, signal });
    }
    async release(sale, id, signal) {
        return this.#ask("DELETE", path(sale, id), { signal });
    }
    /** Yields the stock now and after each change, until the sale has ended. */
    watch(sale, signal) {
        return watch(`${this.#url}/v1/sales/${part(sale)}/events`, signal);
    }
    async #ask(method, at, asked) {
        const headers = { accept: "application/json", "flash-request": "1" };
        const token = typeof this.#token === "function" ? await this.#token() : this.#token;
        if (token !== undefined)
            headers["authorization"] = `Bearer ${token}`;
        if (asked.idempotencyKey !== undefined)
            headers["idempotency-key"] = asked.idempotencyKey;
        const init = { method, headers, credentials: "omit" };
        if (asked.body !== undefined) {
            headers["content-type"] = "application/json";
            init.body = JSON.stringify(asked.body);
        }
        if (asked.signal)
            init.signal = asked.signal;
        const response = await send(this.#url + at, init, this.#limits);
        return (await response.json());
    }
}
/** `randomUUID` exists only in pages that came by TLS; these bytes exist in all of them. */
function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function part(text) {
    return encodeURIComponent(text);
}
function path(sale, id) {
    return `/v1/sales/${part(sale)}/reservations/${part(id)}`;
}
