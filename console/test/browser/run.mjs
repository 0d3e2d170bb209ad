// Runs the tests that act in a browser, over a `flash dev` of their own, which ends when they do.
//
//     FLASH=../target/debug/flash node test/browser/run.mjs [TEST ...]

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const FLASH = process.env.FLASH ?? "../target/debug/flash";
const START_MS_MAX = 90_000;
const HERE = new URL(".", import.meta.url).pathname;

const chosen = process.argv.slice(2);
const all = (await readdir(HERE)).filter((name) => name.endsWith(".test.mjs"));
const tests = all.filter((name) => chosen.length === 0 || chosen.some((word) => name.startsWith(word)));
if (tests.length === 0) process.exit(0);
const dir = await mkdtemp(join(tmpdir(), "flash-console-"));
await mkdir("shots", { recursive: true });

// It ends with this process, however that ends.
const dev = spawn("setpriv", ["--pdeathsig", "TERM", "--", FLASH, "dev", "-o", "json", "--dir", dir], { stdio: ["ignore", "pipe", "pipe"] });
dev.stderr.pipe(createWriteStream("shots/flash-dev.log"));
const ended = once(dev, "exit");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => dev.kill("SIGTERM"));

try {
  const lines = createInterface({ input: dev.stdout });
  const line = await Promise.race([
    once(lines, "line", { signal: AbortSignal.timeout(START_MS_MAX) }).then(([line]) => line),
    ended.then(() => Promise.reject(new Error("flash dev has ended: see console/shots/flash-dev.log"))),
  ]);
  const env = { ...process.env, FLASH, FLASH_DEV: line };
  const run = spawn(process.execPath, ["--test", "--test-concurrency=1", ...tests.map((name) => HERE + name)], { stdio: "inherit", env });
  const stopped = ended.then(() => run.kill());
  const [code] = await once(run, "exit");
  process.exitCode = code ?? 1;
  dev.kill("SIGTERM");
  await stopped;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  dev.kill("SIGTERM");
  await ended;
  await rm(dir, { recursive: true, force: true });
}
