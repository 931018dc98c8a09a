// Bundles src/index.ts into ../xinv_nb/static/widget.js: one minified ES module, its styles inside as text.
// It crosses the wire once per widget, deflated (view/front_end.py): a size above the budget is an error. `--watch`
// rebuilds.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import * as esbuild from "esbuild";

/** Characters of what a widget carries: the bundle deflated, four bytes in five letters. */
const BUDGET = 99_000;
const root = fileURLToPath(new URL(".", import.meta.url));
const outfile = fileURLToPath(new URL("../xinv_nb/static/widget.js", import.meta.url));

/** @type {esbuild.Plugin} */
const reportSize = {
  name: "report-size",
  setup(build) {
    build.onEnd(async ({ errors }) => {
      if (errors.length > 0) return;
      const bundle = await readFile(outfile);
      const size = Math.ceil((deflateSync(bundle, { level: 9 }).length * 5) / 4);
      const [whole, carried] = [bundle.length, size].map((bytes) => (bytes / 1000).toFixed(1));
      console.log(`widget.js ${whole} kB, carried as ${carried} kB (budget ${BUDGET / 1000} kB)`);
      if (size > BUDGET) process.exitCode = 1;
    });
  },
};

/** @type {esbuild.Plugin} */
const minifiedStyles = {
  name: "minified-styles",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

const context = await esbuild.context({
  absWorkingDir: root,
  entryPoints: ["src/index.ts"],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  plugins: [minifiedStyles, reportSize],
});

if (process.argv.includes("--watch")) {
  await context.watch();
} else {
  await context.rebuild();
  await context.dispose();
}
