// An operator runs a sale.

import assert from "node:assert/strict";
import test from "node:test";
import { FEW, look } from "../../dev/look.mjs";
import { call, inConsole } from "./world.mjs";

const FORM = '{"type":"object","properties":{"size":{"enum":["M","L"]}}}';
const UNITS = 500;
/** How many buyers come at once, and how often. */
const BUYERS = 30;
const WAVES = 4;
const RESTOCKED = 40;
/** A line that ends with a time. */
const AT = /\d{4}, \d{2}:\d{2}:\d{2}\.\d{3}$/;

/** Waits until the page's counters stand like this. */
async function counted(page, units) {
  await page.waitForFunction((units) => {
    const shown = (name) => Number(document.querySelector(`.equation .${name} dd`)?.textContent.replaceAll(",", ""));
    return Object.entries(units).every(([name, value]) => shown(name) === value);
  }, units);
}

/** Buyers who come at once, each for one unit. */
const buyers = (wave) => Promise.all(Array.from({ length: BUYERS }, (_, at) =>
  call("POST", "/v1/sales/shirts/reservations", { buyer: `buyer-${wave}-${at}`, data: { size: at % 2 === 0 ? "M" : "L" } })));

test("a sale is created, sells in sight, is restocked, and closed", () => inConsole("", async (page, complain) => {
  await page.getByRole("link", { name: "New sale" }).click();
  await page.getByLabel("Id", { exact: true }).fill("shirts");
  await page.getByLabel("Units of SKU 1").fill(String(UNITS));
  await page.getByLabel("Pay window, in minutes").fill("30");
  await page.getByLabel("Opens").fill("2020-01-01T10:00:00");
  await page.getByLabel("Closes").fill("2020-01-01T09:00:00");
  await page.getByLabel("Form").fill("{");
  await page.getByText("It is no JSON").waitFor();
  await page.getByLabel("Form").fill(FORM);
  await page.getByRole("button", { name: "Create the sale" }).click();
  await page.locator("#field-closes_at_ms[aria-invalid=true]").waitFor();
  await look(page, "real-new", complain, FEW);
  await page.getByLabel("Closes").fill("2099-01-01T10:00:00");
  await page.getByRole("button", { name: "Create the sale" }).click();

  await page.getByRole("heading", { name: "shirts", level: 1 }).waitFor();
  await page.locator(".badge.is-live").waitFor();
  await counted(page, { total: UNITS, available: UNITS, held: 0, confirmed: 0 });
  assert.equal((await call("GET", "/v1/sales/shirts/form")).properties.size.enum.length, 2);

  for (let wave = 1; wave <= WAVES; wave += 1) {
    await buyers(wave);
    await counted(page, { total: UNITS, available: UNITS - wave * BUYERS, held: wave * BUYERS, confirmed: 0 });
  }
  await page.getByRole("table", { name: "Reservations" }).waitFor();
  await look(page, "real-sale", complain, FEW);

  await page.getByRole("button", { name: "Restock" }).click();
  await page.getByLabel("Units more, or less").fill(String(-UNITS));
  await page.getByRole("dialog").getByRole("button", { name: "Restock" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("Units more, or less").fill(String(RESTOCKED));
  await page.getByRole("dialog").getByRole("button", { name: "Restock" }).click();
  await counted(page, { total: UNITS + RESTOCKED, available: UNITS + RESTOCKED - WAVES * BUYERS, held: WAVES * BUYERS, confirmed: 0 });

  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.getByRole("button", { name: "Close the sale" }).click();
  await page.locator(".badge.is-closed").waitFor();
  assert.equal((await call("GET", "/v1/sales/shirts")).phase, "closed");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Open" }).click();
  await page.locator(".badge.is-open").waitFor();

  await page.getByRole("link", { name: "Sales", exact: true }).first().click();
  await page.getByRole("link", { name: "shirts" }).waitFor();
  await look(page, "real-sales", complain, FEW);
}));

test("one reservation is found by its buyer, and its story goes on as it is confirmed", async () => {
  await call("POST", "/v1/sales", { sale: "story", skus: [{ sku: "m", total: 3 }, { sku: "l", total: 3 }], limit: 2, hold_ms: 600_000 });
  await call("POST", "/v1/sales/story/reservations", { buyer: "bob", items: [{ sku: "l", quantity: 1 }] });
  await call("POST", "/v1/sales/story/reservations", { buyer: "ada", items: [{ sku: "m", quantity: 2 }] });
  await inConsole("#/sales/story", async (page, complain) => {
    const table = page.getByRole("table", { name: "Reservations" });
    await table.getByText("bob").waitFor();
    await page.getByLabel("Buyer", { exact: true }).fill("ada");
    await page.getByRole("button", { name: "Filter" }).click();
    await table.getByText("bob").waitFor({ state: "detached" });
    await page.getByLabel("State").selectOption("released");
    await page.getByText("No reservation matches.").waitFor();
    await page.goBack();
    await table.getByRole("link").first().click();

    const story = page.locator(".story");
    await story.getByText("has it as held").waitFor();
    await story.getByText("is to be confirmed or released, or expires").waitFor();
    for (const done of [/^Redis reserved: event /, /^Queue carried it to a syncer: \d+ /, /^PostgreSQL has it as held/]) {
      assert.match(await story.locator("li:not(.to-come)", { hasText: done }).innerText(), AT);
    }
    await look(page, "real-reservation", complain, FEW);
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Confirm" }).click();
    await story.getByText("has it as confirmed").waitFor();
    await page.getByText("yes, in this state").waitFor();
  });
  const [order] = (await call("GET", "/v1/sales/story/reservations?state=confirmed")).reservations;
  assert.equal(order.buyer, "ada");
});
