// Limits, health, and the key.

import test from "node:test";
import { FEW, look } from "../../dev/look.mjs";
import { inConsole } from "./world.mjs";

test("the page shows the doctor's findings, the versions and each server's health", () => inConsole("#/health", async (page, complain) => {
  for (const server of ["Redis", "RabbitMQ", "PostgreSQL"]) await page.locator(".tiles > div", { hasText: server }).getByText("ok").waitFor();
  await page.getByRole("heading", { name: "Versions" }).waitFor();
  await page.getByRole("table", { name: "Findings" }).waitFor();
  await look(page, "real-health", complain, FEW);
}));

test("a key is kept for this tab, goes along with each call, and is forgotten", () => inConsole("#/key", async (page, complain) => {
  await page.getByLabel("API key").fill("flash_not-a-real-key");
  await page.getByRole("button", { name: "Use it" }).click();
  const asked = page.waitForRequest((request) => request.url().endsWith("/v1/relay"));
  await page.getByRole("link", { name: "Flow" }).click();
  if ((await (await asked).headerValue("authorization")) !== "Bearer flash_not-a-real-key") complain("the key did not go along");
  await page.getByRole("link", { name: "Key" }).click();
  await page.getByText("No key is needed").waitFor();
  await look(page, "real-key", complain, FEW);
  await page.getByRole("button", { name: "Forget the key" }).click();
  await page.getByText("flash keys create makes one.").waitFor();
}));
