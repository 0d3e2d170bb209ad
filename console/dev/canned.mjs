// Answers as the gateway gives them, for looking at the pages without one.

import { readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL(`canned/${name}.json`, import.meta.url), "utf8"));
const problem = (status, slug, title, detail) => ({ status, body: { type: `/problems/${slug}`, title, status, detail } });
const ABSENT = problem(404, "not-found", "Not found");
const LOCKED = problem(401, "unauthenticated", "Who calls is not proven", "Authorization must be given once, as Bearer and a token or a key");
const AWAY = problem(503, "redis-away", "Redis cannot be reached");

const now = Date.now();
/** Times in the files are milliseconds from now. */
const fresh = (value) => JSON.parse(JSON.stringify(value), (name, of) => (name.endsWith("at_ms") && typeof of === "number" && Math.abs(of) < 1e11 ? now + of : of));

const sales = () => fresh(read("sales"));
/** A moment's time is from the start of its run. */
const simulation = () => ({ ...fresh(read("simulation")), moments: read("simulation").moments });
const sale = (id) => sales().find((one) => one.sale === id);

/** Routes that not every gateway has. */
const PATHS = Object.fromEntries(["/v1/simulations", "/v1/quarantine/{id}/replay", "/v1/quarantine/{id}/discard"].map((path) => [path, { post: {} }]));
PATHS["/v1/quarantine/{id}"] = { get: {} };

/** What each route answers: the first whose pattern fits. */
const USUAL = [
  [/^GET \/v1\/sales$/, () => ({ sales: sales() })],
  [/^POST \/v1\/sales$/, () => ({ status: 422, body: { type: "/problems/invalid", title: "Validation failed", status: 422, errors: [{ pointer: "/closes_at_ms", detail: "closes_at_ms must be later than opens_at_ms" }] } })],
  [/^GET \/v1\/sales\/([^/]+)$/, (id) => sale(id) ?? problem(404, "unknown-sale", "Sale not found")],
  [/^GET \/v1\/sales\/([^/]+)\/form$/, () => read("form")],
  [/^POST \/v1\/sales\/([^/]+)\/restock$/, () => problem(504, "outcome-unknown", "Outcome unknown")],
  [/^GET \/v1\/sales\/([^/]+)\/reservations$/, () => ({ reservations: fresh(read("reservations")) })],
  [/^GET \/v1\/sales\/([^/]+)\/reservations\/([^/]+)$/, (_, id) => fresh({ ...read("reservation"), id })],
  [/^GET \/v1\/payments$/, () => read("payments")],
  [/^GET \/v1\/whoami$/, () => ({ key: "flash_admin_0a1b2c3d4e5f6071", holder: "olga", role: "admin" })],
  [/^GET \/v1\/relay$/, () => read("relay")],
  [/^GET \/v1\/syncers$/, () => read("syncers")],
  [/^GET \/v1\/quarantine$/, () => read("quarantine")],
  [/^GET \/v1\/quarantine\/\d+$/, () => ({ ...read("quarantine").rows[0], body: '{"sale":"sneaker","epoch":1,"seq":4}' })],
  [/^GET \/v1\/audit$/, () => ({ ...read("audit"), at_ms: Date.now() - 3_000 })],
  [/^GET \/v1\/health$/, () => read("health")],
  [/^GET \/v1\/simulations\/[^/]+$/, () => simulation()],
  [/^POST \/v1\/simulations$/, () => ({ id: "1" })],
  [/^GET \/readyz$/, () => read("ready")],
  [/^GET \/openapi.json$/, () => ({ openapi: "3.1.0", info: { version: "0.1.0" }, paths: PATHS })],
];
const EMPTY = [
  [/^GET \/v1\/sales$/, () => ({ sales: [] })],
  [/^GET \/v1\/sales\/([^/]+)\/reservations$/, () => ({ reservations: [] })],
  [/^GET \/v1\/relay$/, () => ({ sales: [] })],
  [/^GET \/v1\/syncers$/, () => ({ syncers: [] })],
  [/^GET \/v1\/quarantine$/, () => ({ rows: [] })],
  [/^GET \/v1\/audit$/, () => ({ verdict: "whole", at_ms: Date.now(), findings: [], sales: [] })],
];

/** The scenarios, each on a port of its own. */
export const SCENARIOS = {
  usual: USUAL,
  empty: [...EMPTY, ...USUAL],
  away: [[/ \/(v1|readyz)/, () => AWAY]],
  locked: [[/ \/v1\/(?!sales\/)/, () => LOCKED], ...USUAL],
  old: [[/^GET \/v1\/sales\/[^/]+$/, (id) => sale("drop")], [/^GET \/readyz$/, () => read("ready")]],
};

export function answer(scenario, method, path) {
  for (const [pattern, of] of SCENARIOS[scenario]) {
    const found = pattern.exec(`${method} ${path}`);
    if (!found) continue;
    const said = of(...found.slice(1));
    return said.body && said.status ? said : { status: 200, body: said };
  }
  return ABSENT;
}

export const metrics = () => readFileSync(new URL("canned/metrics.txt", import.meta.url), "utf8");

/** A sale's stock, one unit less at each frame. */
export function* stock(id) {
  const one = sale(id) ?? sale("drop");
  for (let seq = one.seq; ; seq += 1) {
    yield one;
    one.seq = seq + 1;
    const sku = one.skus.find((sku) => sku.available > 0);
    if (!sku) continue;
    const to = seq % 3 === 0 ? "confirmed" : "held";
    for (const units of [one, sku]) {
      units.available -= 1;
      units[to] += 1;
    }
  }
}
