// Screenshots of each page, wide and narrow, dark and light; and what axe and the browser complain of. They go to shots/.
// Names of pages as arguments choose some of them.

import { look, openBrowser, openPage } from "./look.mjs";
import { start } from "./serve.mjs";

const SETTLE_MS = 900;
const PAGES = {
  sales: ["usual", "#/sales"],
  sale: ["usual", "#/sales/drop"],
  reservation: ["usual", "#/sales/drop/reservations/1184"],
  new: ["usual", "#/new"],
  payments: ["usual", "#/payments"],
  flow: ["usual", "#/flow"],
  simulator: ["usual", "#/simulator?strategies=naive,flash&seed=7&id=1"],
  health: ["usual", "#/health"],
  key: ["usual", "#/key"],
  "sales-empty": ["empty", "#/sales"],
  "flow-empty": ["empty", "#/flow"],
  "sales-away": ["away", "#/sales"],
  "sales-locked": ["locked", "#/sales"],
  "key-locked": ["locked", "#/key"],
  "sale-old": ["old", "#/sales/drop"],
  "simulator-old": ["old", "#/simulator"],
};

const chosen = process.argv.slice(2);
const served = await start();
const browser = await openBrowser();
let complaints = 0;
const complain = (line) => {
  complaints += 1;
  console.log(line);
};

for (const [name, [scenario, hash]] of Object.entries(PAGES)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const page = await openPage(browser, (line) => complain(`${name}: ${line}`));
  await page.goto(served[scenario].url + hash);
  await page.waitForTimeout(SETTLE_MS);
  await look(page, name, complain);
  await page.close();
}
await browser.close();
for (const { server } of Object.values(served)) {
  server.close();
  server.closeAllConnections();
}
process.exitCode = complaints === 0 ? 0 : 1;
