// What is on its way to PostgreSQL, and what could not get there.

import assert from "node:assert/strict";
import test from "node:test";
import { FEW, look } from "../../dev/look.mjs";
import { call, inConsole, sees, sql } from "./world.mjs";

test("what waits in the quarantine is replayed, and then PostgreSQL has it", async () => {
  await call("POST", "/v1/sales", { sale: "late", total: 5, hold_ms: 600_000 });
  // A reason that PostgreSQL should not have.
  await sql("ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')");
  await call("POST", "/v1/sales/late/reservations", { buyer: "eve" });
  await inConsole("#/flow", async (page, complain) => {
    const row = page.locator(".card", { hasText: "no_eve" });
    await row.waitFor();
    // It has left its journal, and PostgreSQL still lacks it.
    await page.getByText("Nothing waits in a journal.").waitFor();
    await look(page, "real-flow", complain, FEW);
    await row.getByRole("button", { name: "Replay" }).click();
    await row.getByText(/^refused: /).waitFor();
    await sql("ALTER TABLE orders DROP CONSTRAINT no_eve");
    await row.getByRole("button", { name: "Replay" }).click();
    await row.waitFor({ state: "detached" });
    await page.goto(page.url().replace("#/flow", "#/sales/late"));
    await page.getByRole("table", { name: "Reservations" }).getByText("eve").waitFor();
    await sees(page, "whole");
  });
  const { reservations } = await call("GET", "/v1/sales/late/reservations");
  assert.deepEqual(reservations.map(({ buyer, state }) => [buyer, state]), [["eve", "held"]]);
});

test("what is discarded is gone only once it was asked for twice", async () => {
  await sql("INSERT INTO quarantine (reason, body) VALUES ('no sense in it', 'x?')");
  await inConsole("#/flow", async (page) => {
    const row = page.locator(".card", { hasText: "no sense in it" });
    await row.getByRole("button", { name: "Show" }).click();
    await row.getByText("x?", { exact: true }).waitFor();
    await row.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await row.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard it" }).click();
    await row.waitFor({ state: "detached" });
  });
  assert.deepEqual((await call("GET", "/v1/quarantine")).rows, []);
});
