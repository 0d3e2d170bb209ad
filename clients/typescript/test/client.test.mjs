// The client against a gateway at FLASH_URL, and against a server that fails on purpose.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Flash, ProblemError, UnknownOutcomeError } from "../dist/index.js";

const url = process.env.FLASH_URL;
assert(url, "FLASH_URL names the gateway");
const origin = process.env.FLASH_ORIGIN;

async function create(terms) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/v1/sales`, { method: "POST", headers, body: JSON.stringify(terms) });
    return (await answer.json()).sale;
}

async function refusal(promise) {
    const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
    assert(error instanceof ProblemError, String(error));
    return error;
}

// A server that gives these answers in turn, and the keys that it was sent.
async function failing(answers, run) {
    const keys = [];
    const server = createServer((request, response) => {
        keys.push(request.headers["idempotency-key"]);
        const [status, headers = {}, body = {}] = answers[Math.min(keys.length, answers.length) - 1];
        if (status === 0) return request.socket.destroy();
        response.writeHead(status, { "content-type": "application/problem+json", ...headers });
        const problem = { type: "/problems/x", title: "X", status, ...body };
        return response.end(typeof body === "string" ? body : JSON.stringify(problem));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
        await run(new Flash(`http://127.0.0.1:${server.address().port}/`), keys);
    } finally {
        server.closeAllConnections();
        server.close();
    }
}

test("a buyer reserves, confirms and releases", async () => {
    const flash = new Flash(url);
    const sale = await create({ total: 2, limit: 2, hold_ms: 600_000 });
    const held = await flash.reserve(sale, { buyer: "ada" });
    assert.deepEqual([held.state, held.available], ["held", 1]);
    assert.equal((await flash.confirm(sale, held.id)).state, "confirmed");
    const other = await flash.reserve(sale, { buyer: "bob", items: [{ sku: "default", quantity: 1 }] });
    assert.equal((await flash.release(sale, other.id)).state, "released");
    assert.equal((await flash.show(sale, held.id)).buyer, "ada");
});

test("a key makes one reservation of two requests", async () => {
    const flash = new Flash(url);
    const sale = await create({ total: 5, limit: 5 });
    const wish = { buyer: "ada", idempotencyKey: "order-7" };
    const [first, second] = [await flash.reserve(sale, wish), await flash.reserve(sale, wish)];
    assert.equal(first.id, second.id);
    assert.notEqual((await flash.reserve(sale, { buyer: "ada" })).id, first.id);
});

test("a refusal is a problem with its slug and its fields", async () => {
    const flash = new Flash(url);
    const sale = await create({ total: 1 });
    await flash.reserve(sale, { buyer: "ada" });
    assert.equal((await refusal(flash.reserve(sale, { buyer: "eve" }))).slug, "sold-out");
    const invalid = await refusal(flash.reserve(sale, { buyer: "eve", quantity: 0 }));
    assert.deepEqual([invalid.slug, invalid.problem.errors[0].pointer], ["invalid", "/quantity"]);
    const opens_at_ms = Date.now() + 3_600_000;
    const early = await refusal(flash.reserve(await create({ total: 1, opens_at_ms }), { buyer: "ada" }));
    assert.deepEqual([early.slug, early.problem.opens_at_ms], ["not-started", opens_at_ms]);
    assert(early.problem.retry_after_ms > 3_500_000, String(early.problem.retry_after_ms));
});

test("a request is repeated with its key after 503, 504 and a lost connection", async () => {
    const made = [200, { "content-type": "application/json" }, '{"sale":"s","id":"1-a","state":"held"}'];
    await failing([[503, { "retry-after": "1" }], [504], [0], made], async (flash, keys) => {
        const began = Date.now();
        assert.equal((await flash.reserve("s", { buyer: "ada" })).id, "1-a");
        assert(Date.now() - began >= 1_000, "it waits as long as Retry-After says");
        assert.equal(keys.length, 4);
        assert(keys[0]?.length === 32 && new Set(keys).size === 1, keys.join());
    });
});

test("retries have an end, and a long wait is not waited for", async () => {
    await failing([[504, {}, { type: "/problems/outcome-unknown" }]], async (flash, keys) => {
        assert.equal((await refusal(flash.reserve("s"))).slug, "outcome-unknown");
        assert.equal(keys.length, 4);
    });
    await failing([[503, { "retry-after": "60" }]], async (flash, keys) => {
        assert.equal((await refusal(flash.reserve("s"))).problem.status, 503);
        assert.equal(keys.length, 1);
    });
    await failing([[409]], async (flash, keys) => {
        await refusal(flash.reserve("s"));
        assert.equal(keys.length, 1);
    });
    await failing([[0]], async (flash, keys) => {
        await assert.rejects(flash.reserve("s"), UnknownOutcomeError);
        assert.equal(keys.length, 4);
    });
});

test("the stock is watched until the sale has ended", async () => {
    const flash = new Flash(url);
    const sale = await create({ total: 3, limit: 3, closes_at_ms: Date.now() + 1_500 });
    const seen = [];
    for await (const stock of flash.watch(sale)) {
        if (seen.length === 0) await flash.reserve(sale, { buyer: "ada", quantity: 2 });
        seen.push(stock.available);
        if (stock.available === 1 && stock.phase !== "open") break;
    }
    assert.deepEqual([seen[0], seen.at(-1)], [3, 1]);
});

test("a stream that breaks is opened again, and 204 is its end", async () => {
    const stream = { "content-type": "text/event-stream" };
    const event = (available) => `retry: 10\n\nevent: stock\ndata: {"available":${available}}\n\n`;
    const answers = [[200, stream, event(3)], [503], [200, stream, event(2)], [204]];
    await failing(answers, async (flash, keys) => {
        const seen = [];
        for await (const stock of flash.watch("s")) seen.push(stock.available);
        assert.deepEqual([seen, keys.length], [[3, 2], 4]);
    });
    await failing([[404]], async (flash) => {
        await refusal(flash.watch("s").next());
    });
});

test("a page of a named origin may ask and watch, and no other page may", { skip: !origin }, async () => {
    const sale = await create({ total: 1 });
    const path = `${url}/v1/sales/${sale}`;
    const asks = (from) => fetch(`${path}/reservations`, {
        method: "OPTIONS",
        headers: { origin: from, "access-control-request-method": "POST" },
    });
    const preflight = await asks(origin);
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
    assert.equal(preflight.headers.get("access-control-max-age"), "7200");
    assert.equal((await asks("http://evil.example")).status, 405);
    const reserves = (from) => fetch(`${path}/reservations`, {
        method: "POST",
        headers: { origin: from, "sec-fetch-site": "cross-site", "content-type": "application/json" },
        body: '{"buyer":"ada"}',
    });
    assert.equal((await reserves("http://evil.example")).status, 403);
    const answer = await reserves(origin);
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [201, origin]);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
    const stop = new AbortController();
    const stream = await fetch(`${path}/events`, { headers: { origin }, signal: stop.signal });
    assert.equal(stream.headers.get("access-control-allow-origin"), origin);
    stop.abort();
});
