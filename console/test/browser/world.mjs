// What the tests in a browser have in hand: the gateway that runs, buyers, PostgreSQL, and pages of the console.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { openBrowser, openPage } from "../../dev/look.mjs";

const { http, postgres } = JSON.parse(process.env.FLASH_DEV);
/** What is not seen within it is not there. Two busy cores are slow. */
export const SEEN_MS_MAX = 30_000;

/** Opens a page of the console for `act`; whatever the browser complains of fails the test. */
export async function inConsole(hash, act) {
  const complaints = [];
  const complain = (line) => complaints.push(line);
  const browser = await openBrowser();
  try {
    const page = await openPage(browser, complain);
    page.setDefaultTimeout(SEEN_MS_MAX);
    await page.goto(`${http}/console/${hash}`);
    await act(page, complain);
  } finally {
    await browser.close();
  }
  assert.deepEqual(complaints, []);
}

/** Calls the API as a buyer or an operator would, and demands that it was done. */
export async function call(method, path, body) {
  const init = { method, headers: { "content-type": "application/json" } };
  const response = await fetch(http + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Changes PostgreSQL without Flash. */
export async function sql(statement) {
  const { hostname, port, username, password, pathname } = new URL(postgres);
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: pathname.slice(1) };
  await promisify(execFile)("psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-c", statement], { env });
}

/** Waits until the audit of what is shown says this. */
export async function sees(page, verdict) {
  await page.locator(".strip .badge", { hasText: new RegExp(`^${verdict}$`) }).waitFor();
}
