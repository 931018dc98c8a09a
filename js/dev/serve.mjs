// Serves the dev page, bundled at each reload. `npm run dev` prints the address.
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

export async function serveDevPage() {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const context = await esbuild.context({
    entryPoints: [`${folder}page.ts`],
    outdir: folder,
    write: false,
    bundle: true,
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    loader: { ".css": "text" },
  });
  const { port } = await context.serve({ servedir: folder, host: "127.0.0.1" });
  return { address: `http://127.0.0.1:${port}/`, stop: () => context.dispose() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { address } = await serveDevPage();
  console.log(`${address}  (try ?until=34&theme=dark, ?case=names; see page.ts)`);
}
