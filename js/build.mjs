// Bundles src/index.ts into ../xinv_nb/static/widget.js: one minified ES module, its styles inside as text.
// The bundle crosses the wire once per widget, so a size above the budget is an error. `--watch` rebuilds.
import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const BUDGET = 100_000;
/** Names of ours that are shortened: long, used often, and neither in a packet nor in the browser. */
const SHORTENED =
  `history lastIteration firstIteration hasKernel showsPlane hasPlane questions moveToRow hiddenStrips
  hiddenPanels stripsTitle toggled isShown unfolded frameError incomplete explaining framesVersion wideScene strength
  nearestRow requestFile requestScene appendUnknown frameAt recolour isolate playing cited middle
  faded accepted gradient cotangent cursor ticks onAccent panels eventsTotal iterations strips`.split(/\s+/);
const root = fileURLToPath(new URL(".", import.meta.url));
const outfile = fileURLToPath(new URL("../xinv_nb/static/widget.js", import.meta.url));

/** @type {esbuild.Plugin} */
const reportSize = {
  name: "report-size",
  setup(build) {
    build.onEnd(async ({ errors }) => {
      if (errors.length > 0) return;
      const { size } = await stat(outfile);
      console.log(`widget.js ${(size / 1000).toFixed(1)} kB (budget ${BUDGET / 1000} kB)`);
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
  mangleProps: new RegExp(`^(${SHORTENED.join("|")})$`),
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
