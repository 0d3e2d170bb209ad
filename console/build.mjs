// Bundles the console into dist/, each file also compressed, with a list of them for the gateway: the same sources and the same
// lock file make the same bytes. Node's own zlib would not: another Node or another processor compresses otherwise.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { build } from "esbuild";
import { gzipSync } from "fflate";

const OUT = "dist";
const COMPRESSED_BYTES_MAX = 100 * 1024;
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT);
const { metafile } = await build({
  entryPoints: { console: "src/main.tsx" },
  outdir: OUT,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: ["es2022", "chrome116", "firefox124", "safari17.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  charset: "utf8",
});
const made = Object.keys(metafile.outputs).map((path) => basename(path));
const named = (extension) => made.find((name) => name.endsWith(extension));
const page = await readFile("src/index.html", "utf8");
await writeFile(`${OUT}/index.html`, page.replace("{js}", named(".js")).replace("{css}", named(".css")));
await writeFile(`${OUT}/icon.svg`, await readFile("src/icon.svg"));

const licence = async (name, file) => `${name}\n\n${(await readFile(`node_modules/${name}/${file}`, "utf8")).trim()}\n`;
await writeFile(`${OUT}/licences.txt`, [await licence("preact", "LICENSE"), await licence("uplot", "LICENSE")].join("\n\n"));

let compressed = 0;
let assets = "";
for (const name of (await readdir(OUT)).sort()) {
  const bytes = await readFile(`${OUT}/${name}`);
  // No time of its making, nor a name.
  const gzip = gzipSync(bytes, { level: 9, mtime: 0 });
  await writeFile(`${OUT}/${name}.gz`, gzip);
  compressed += gzip.length;
  console.log(`${String(bytes.length).padStart(8)} ${String(gzip.length).padStart(7)} compressed  ${name}`);
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  assets += `    Asset {
        name: "${name}",
        media: "${TYPES[extname(name)]}",
        is_hashed: ${made.includes(name)},
        plain: Coded { etag: "\\"${tag}\\"", bytes: include_bytes!("${name}") },
        gzip: Coded { etag: "\\"${tag}-gzip\\"", bytes: include_bytes!("${name}.gz") },
    },\n`;
}
await writeFile(`${OUT}/assets.rs`, `// Made by scripts/build-console.\n[\n${assets}]\n`);
console.log(`${String(compressed).padStart(16)} compressed, of ${COMPRESSED_BYTES_MAX} bytes`);
if (compressed > COMPRESSED_BYTES_MAX) throw new Error("the console is too large");
