// Builds one self-contained ES module and one style sheet a widget into tunewidgets/static/, and so for exported pages.
// In: every folder of src/ that holds an index. Out: static/<folder>.js and, where it has a style, static/<folder>.css.
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../tunewidgets/static/", import.meta.url));
// What a widget's code may weigh: the scatter brings plotly.js' basic bundle, the others no plotting library.
const LIMIT = 60_000;
const LIMITS = { "unit-scatter": 1_400_000 };

const entries = readdirSync(`${here}src`).flatMap((name) =>
  ["index.tsx", "index.ts"]
    .filter((file) => existsSync(`${here}src/${name}/${file}`))
    .map((file) => [name, file]),
);

await build({
  absWorkingDir: here,
  entryPoints: Object.fromEntries(entries.map(([name, file]) => [name, `src/${name}/${file}`])),
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});

for (const [name] of entries) {
  const bytes = statSync(`${out}${name}.js`).size;
  const style = statSync(`${out}${name}.css`, { throwIfNoEntry: false });
  console.log(
    `${name}.js ${(bytes / 1000).toFixed(1)} kB${style ? `, ${name}.css ${(style.size / 1000).toFixed(1)} kB` : ""}`,
  );
  const limit = LIMITS[name] ?? LIMIT;
  if (bytes > limit) throw new Error(`${name}.js is ${bytes} bytes; its code may have ${limit}`);
}
