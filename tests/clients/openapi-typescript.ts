// Buys with a client that openapi-typescript and openapi-fetch make from the document.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const api = createClient<paths>({ baseUrl: process.argv[2] });
const headers = { "Flash-Request": "1" };
// A problem is a type of its own, and its slug one of an enumeration.
const type: components["schemas"]["ProblemType"] = "/problems/sold-out";

const made = await api.POST("/v1/sales", { body: { total: 2, limit: 1, hold_ms: 600_000 } });
assert(made.data, JSON.stringify(made.error));
const sale = made.data.sale;

async function reserve(buyer: string, quantity?: number) {
    const path = "/v1/sales/{sale}/reservations";
    const params = { path: { sale }, header: { "Idempotency-Key": buyer } };
    return api.POST(path, { params, body: { buyer, quantity } });
}

const ada = await reserve("ada");
assert(ada.data, JSON.stringify(ada.error));
const params = { path: { sale, id: ada.data.id } };
const confirmed = await api.POST("/v1/sales/{sale}/reservations/{id}/confirm", { params, headers });
assert.equal(confirmed.data?.state, "confirmed");
assert((await reserve("bob")).data);
const refused = await reserve("eve");
assert.equal(refused.error?.type, type);
const invalid = await reserve("eve", 0);
assert.equal(invalid.error?.type, "/problems/invalid");
assert.equal(invalid.error?.errors?.[0]?.pointer, "/quantity");

// The second page begins after the first.
const more = await api.POST("/v1/sales", { body: { total: 1 } });
assert(more.data);
const ids: string[] = [];
for (let after: string | undefined; ; ) {
    const page = await api.GET("/v1/sales", { params: { query: { limit: 1, after } } });
    assert(page.data, JSON.stringify(page.error));
    const last = page.data.sales.at(-1);
    if (!last) break;
    ids.push(last.sale);
    after = last.sale;
}
assert(ids.includes(sale) && ids.includes(more.data.sale), ids.join());
console.log("openapi-typescript: bought, was refused, and paged through", ids.length, "sales");
