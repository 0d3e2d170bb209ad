// Runs test/ in Node, which knows no TypeScript.

import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const out = await mkdtemp(join(tmpdir(), "flash-console-"));
const entryPoints = (await readdir("test")).filter((name) => name.endsWith(".ts")).map((name) => `test/${name}`);
await build({ entryPoints, outdir: out, bundle: true, format: "esm", platform: "node", outExtension: { ".js": ".mjs" } });
const files = (await readdir(out)).map((name) => join(out, name));
process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
await rm(out, { recursive: true });
