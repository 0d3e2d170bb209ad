// Who has no mouse does what others do.

import assert from "node:assert/strict";
import test from "node:test";
import { call, inConsole } from "./world.mjs";

const PAGES = ["#/sales", "#/sales/keys", "#/new", "#/flow", "#/simulator", "#/health", "#/key"];
const TABS_MAX = 120;

/** How many should be reached. */
const reachable = () => {
  const all = document.querySelectorAll("a[href], button:not(:disabled), input, select, textarea, summary");
  return [...all].filter((of) => of.checkVisibility()).length;
};

/** What has the focus now, and whether one sees that it has. */
const focused = () => {
  const of = document.activeElement;
  // After the last of them comes the browser's own.
  if (of === document.body) return { reached: 0, isSeen: true };
  of.dataset.reached = "yes";
  const reached = document.querySelectorAll("[data-reached]").length;
  const { outlineStyle, outlineWidth } = getComputedStyle(of);
  const { top, bottom } = of.getBoundingClientRect();
  const isOfFrame = of.closest(".top, .skip") !== null;
  const isCovered = !isOfFrame && bottom <= document.querySelector(".top").getBoundingClientRect().bottom;
  const isSeen = outlineStyle !== "none" && outlineWidth !== "0px" && !isCovered && top < innerHeight;
  return { reached, isSeen, html: `${of.outerHTML.slice(0, 120)} at ${top}: ${outlineWidth} ${outlineStyle}` };
};

test("each page is walked by Tab alone, and one always sees where one is", async () => {
  await call("POST", "/v1/sales", { sale: "keys", total: 5 });
  for (const hash of PAGES) {
    await inConsole(hash, async (page) => {
      await page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0 && document.querySelector("h1"));
      const all = await page.evaluate(reachable);
      for (let tabs = 0, reached = 0; reached < all; tabs += 1) {
        assert.ok(tabs < TABS_MAX, `${hash}: ${reached} of ${all} are reached`);
        await page.keyboard.press("Tab");
        const at = await page.evaluate(focused);
        assert.ok(at.isSeen, `${hash}: one does not see the focus on ${at.html}`);
        reached = Math.max(reached, at.reached);
      }
    });
  }
});

test("a dialog is opened, left by Escape, and gives the focus back", () => inConsole("#/sales/keys", async (page) => {
  const button = page.getByRole("button", { name: "Restock" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog") !== null), "the focus is in the dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Restock");
}));
