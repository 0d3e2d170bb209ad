// How a page looks: screenshots wide and narrow, dark and light, into shots/; and what is wrong with it.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const HEIGHT_PX = 900;
const HTML_CHARS_SHOWN = 120;
const LOOKS = { "wide-light": [1280, "light"], "narrow-light": [390, "light"], "narrow-dark": [390, "dark"], "wide-dark": [1280, "dark"] };
/** Each width and each scheme once. */
export const FEW = ["wide-light", "narrow-dark"];

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Debian's Chromium. Root, as a container's user often is, has no sandbox there. */
export async function openBrowser() {
  await mkdir("shots", { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

/** A page that tells `complain` of what the browser finds wrong: a script's error, or what the policy forbids. */
export async function openPage(browser, complain) {
  const page = await browser.newPage({ viewport: { width: 1280, height: HEIGHT_PX }, colorScheme: "light" });
  page.on("console", (message) => {
    // An answer that is a problem is no fault of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complain(message.text());
  });
  page.on("pageerror", (error) => complain(String(error)));
  return page;
}

/** Looks at the current page in each of these ways. */
export async function look(page, name, complain, ways = Object.keys(LOOKS)) {
  for (const as of ways) {
    const [width, colorScheme] = LOOKS[as];
    await page.setViewportSize({ width, height: HEIGHT_PX });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => scrollTo(0, 0));
    // Plots are drawn anew after the page is.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.screenshot({ path: `shots/${name}-${as}.png`, fullPage: true });
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (sideways > 0) complain(`${name} ${as}: ${sideways} px too wide`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    for (const { id, impact, nodes } of violations) {
      complain(`${name} ${as}: ${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, HTML_CHARS_SHOWN)).join(" | ")}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: HEIGHT_PX });
  await page.emulateMedia({ colorScheme: "light" });
}
