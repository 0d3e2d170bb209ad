// The simulator, and faults while it runs.

import assert from "node:assert/strict";
import test from "node:test";
import { FEW, look } from "../../dev/look.mjs";
import { call, inConsole, sees } from "./world.mjs";

const RUN_MS_MAX = 90_000;
const FAULTS = ["kill-gateway", "pause-rabbitmq", "restart-redis", "drop-answers", "send-duplicates"];

const address = (settings) => `#/simulator?${new URLSearchParams(settings)}`;

/** What a way to sell has counted, by the words of its card. */
async function counters(card) {
  const texts = (part) => card.locator(`dl > div > ${part}`).allTextContents();
  const [names, values] = [await texts("dt"), await texts("dd")];
  return Object.fromEntries(names.map((name, at) => [name, Number.parseFloat(values[at].replaceAll(",", ""))]));
}

test("naive oversells in sight of all, and ours sells what there is", () =>
  inConsole(address({ strategies: "naive,flash", buyers: 1_500, units: 100, concurrency: 32, rate: 500, seed: 7 }), async (page, complain) => {
    await page.getByRole("button", { name: "Run" }).click();
    const [naive, flash] = ["naive", "flash"].map((name) => page.getByRole("region", { name, exact: true }));
    await naive.getByText("it runs").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".counters .bad").length > 0, undefined, { timeout: RUN_MS_MAX });
    await page.getByRole("button", { name: "Stop it" }).waitFor({ state: "detached", timeout: RUN_MS_MAX });
    const [of_naive, of_flash] = [await counters(naive), await counters(flash)];
    assert.ok(of_naive.Oversold > 0, "naive oversells");
    assert.deepEqual([of_flash.Successful, of_flash.Oversold], [100, 0]);
    assert.ok(of_flash.Requests >= 1_500 && of_flash.p99 > 0, "each buyer came");
    await sees(page, "whole");
    assert.match(page.url(), /seed=7/);
    await page.getByText("Log", { exact: true }).click();
    await page.locator(".log li").first().waitFor();
    const saving = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as JSON" }).click();
    assert.equal((await saving).suggestedFilename(), "flash-sim-7.json");
    await look(page, "real-simulator", complain, FEW);
  }));

test("whatever fault is made, the sale stays whole", async () => {
  const { faults } = await call("GET", "/v1/health");
  assert.deepEqual([...faults].sort(), [...FAULTS].sort());
  await inConsole(address({ strategies: "flash", buyers: 7_000, units: 2_000, concurrency: 16, rate: 350, seed: 11 }), async (page) => {
    await page.getByRole("button", { name: "Run" }).click();
    const flash = page.getByRole("region", { name: "flash", exact: true });
    await flash.getByText("it runs").waitFor();
    // Whether anything else was ever said, in between.
    await page.evaluate(() => {
      window.drifted = false;
      const strip = document.querySelector("aside");
      const look = () => (window.drifted ||= strip.querySelector(".badge.is-drift") !== null);
      new MutationObserver(look).observe(strip, { subtree: true, childList: true, attributes: true });
    });
    for (const name of FAULTS) {
      const words = name.replaceAll("-", " ");
      await page.getByRole("button", { name: words }).click();
      await page.getByText(`Done: ${words}.`).waitFor();
    }
    await page.getByRole("button", { name: "Stop it" }).waitFor({ state: "detached", timeout: RUN_MS_MAX });
    await sees(page, "whole");
    const { Successful, Oversold } = await counters(flash);
    assert.deepEqual([Successful, Oversold], [2_000, 0]);
    assert.equal(await page.evaluate(() => window.drifted), false, "there was never a drift");
  });
});
