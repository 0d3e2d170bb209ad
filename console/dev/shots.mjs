// Screenshots of each page, wide and narrow, dark and light; and what axe and the browser complain of. They go to shots/.
// Names of pages as arguments choose some of them.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { start } from "./serve.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SETTLE_MS = 900;
const PAGES = {
  sales: ["usual", "#/sales"],
  sale: ["usual", "#/sales/drop"],
  reservation: ["usual", "#/sales/drop/reservations/1184"],
  new: ["usual", "#/new"],
  flow: ["usual", "#/flow"],
  simulator: ["usual", "#/simulator?strategies=naive,flash&seed=7&id=1"],
  health: ["usual", "#/health"],
  key: ["usual", "#/key"],
  "sales-empty": ["empty", "#/sales"],
  "flow-empty": ["empty", "#/flow"],
  "sales-away": ["away", "#/sales"],
  "sales-locked": ["locked", "#/sales"],
  "sale-old": ["old", "#/sales/drop"],
  "simulator-old": ["old", "#/simulator"],
};
const LOOKS = [["wide-light", 1280, "light"], ["narrow-light", 390, "light"], ["wide-dark", 1280, "dark"], ["narrow-dark", 390, "dark"]];

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const chosen = process.argv.slice(2);
const served = await start();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
await mkdir("shots", { recursive: true });
let complaints = 0;
const complain = (line) => {
  complaints += 1;
  console.log(line);
};

for (const [look, width, colorScheme] of LOOKS) {
  for (const [name, [scenario, hash]] of Object.entries(PAGES)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, bypassCSP: false });
    // An answer that is a problem is no fault of the page.
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complain(`${name} ${look}: ${message.text()}`);
    });
    page.on("pageerror", (error) => complain(`${name} ${look}: ${error}`));
    await page.goto(served[scenario].url + hash);
    await page.waitForTimeout(SETTLE_MS);
    await page.screenshot({ path: `shots/${name}-${look}.png`, fullPage: true });
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (sideways > 0) complain(`${name} ${look}: ${sideways} px too wide`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    for (const { id, impact, nodes } of violations) complain(`${name} ${look}: ${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
    await page.close();
  }
}
await browser.close();
for (const { server } of Object.values(served)) {
  server.close();
  server.closeAllConnections();
}
process.exitCode = complaints === 0 ? 0 : 1;
