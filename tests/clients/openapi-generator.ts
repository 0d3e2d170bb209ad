// Buys with a client of TypeScript that openapi-generator makes from the document.
import assert from "node:assert/strict";
import { Configuration, ProblemFromJSON, ProblemType, ReservationsApi, ResponseError, SalesApi } from "./index.js";
import type { Problem } from "./index.js";

const configuration = new Configuration({ basePath: process.argv[2]!, headers: { "Flash-Request": "1" } });
const sales = new SalesApi(configuration);
const reservations = new ReservationsApi(configuration);
const { sale } = await sales.createSale({ newSale: { total: 2, limit: 1, holdMs: 600_000 } });

async function refused(buyer: string, quantity?: number): Promise<Problem> {
    try {
        await reservations.reserve({ sale, wish: { buyer, quantity } });
    } catch (error) {
        assert(error instanceof ResponseError, String(error));
        return ProblemFromJSON(await error.response.json());
    }
    throw new Error("it was not refused");
}

const ada = await reservations.reserve({ sale, wish: { buyer: "ada" }, idempotencyKey: "ada" });
assert.equal((await reservations.confirm({ sale, id: ada.id })).state, "confirmed");
await reservations.reserve({ sale, wish: { buyer: "bob" } });
assert.equal((await refused("eve")).type, ProblemType.SOLD_OUT);
const invalid = await refused("eve", 0);
assert.equal(invalid.type, ProblemType.INVALID);
assert.equal(invalid.errors?.[0]?.pointer, "/quantity");

await sales.createSale({ newSale: { total: 1 } });
const ids: string[] = [];
for (;;) {
    const page = await sales.listSales({ limit: 1, after: ids.at(-1) });
    const last = page.sales.at(-1);
    if (!last) break;
    ids.push(last.sale);
}
assert(ids.includes(sale) && ids.length >= 2, ids.join());
console.log("openapi-generator, typescript: bought, was refused, and paged through", ids.length, "sales");
