// Serves dist/ as the gateway does, over canned answers: each scenario on a port of its own, from 8100 on.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { SCENARIOS, answer, metrics, stock } from "./canned.mjs";

const FIRST_PORT = 8100;
const FRAME_MS = 200;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8" };
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function asset(name, response) {
  const file = name === "" ? "index.html" : name;
  try {
    const bytes = await readFile(new URL(`../dist/${file}`, import.meta.url));
    response.writeHead(200, { "content-type": TYPES[extname(file)], "content-security-policy": CSP, "x-content-type-options": "nosniff" });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

function watch(sale, response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const frames = stock(sale);
  const timer = setInterval(() => {
    const now = frames.next().value;
    response.write(`id: ${now.epoch}-${now.seq}\nevent: stock\ndata: ${JSON.stringify(now)}\n\n`);
  }, FRAME_MS);
  response.on("close", () => clearInterval(timer));
}

function serve(scenario) {
  return (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const [, named] = /^\/console\/([^/]*)$/.exec(pathname) ?? [];
    if (named !== undefined) return void asset(named, response);
    const [, sale] = /^\/v1\/sales\/([^/]+)\/events$/.exec(pathname) ?? [];
    if (sale !== undefined && scenario !== "away") return watch(decodeURIComponent(sale), response);
    if (pathname === "/metrics" && scenario !== "away") return response.end(metrics());
    const { status, body } = answer(scenario, request.method, decodeURIComponent(pathname));
    response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(JSON.stringify(body));
  };
}

/** Where each scenario is served. */
export async function start() {
  const served = {};
  for (const [at, scenario] of Object.keys(SCENARIOS).entries()) {
    const server = createServer(serve(scenario));
    await new Promise((listening) => server.listen(FIRST_PORT + at, "127.0.0.1", listening));
    served[scenario] = { server, url: `http://127.0.0.1:${FIRST_PORT + at}/console/` };
  }
  return served;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [scenario, { url }] of Object.entries(await start())) console.log(`${scenario.padEnd(8)} ${url}`);
}
