// Pictures of the dev page in Chromium, to look at: node dev/screenshots.mjs [folder] [name…]
// Needs playwright-core, which is no dependency: PLAYWRIGHT_CORE names its folder.
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { serveDevPage } from "./serve.mjs";

const [folder = "../artifacts", ...wanted] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { chromium } = require(process.env.PLAYWRIGHT_CORE ?? "playwright-core");

const pages = {};
for (const theme of ["light", "dark"]) {
  for (const width of [1100, 700, 400, 320]) {
    pages[`live-${width}-${theme}`] = { width, query: `theme=${theme}&until=34&pause=4` };
    pages[`done-${width}-${theme}`] = { width, query: `theme=${theme}&pause=4`, act: standAt34 };
  }
  pages[`zoomed-${theme}`] = { width: 1100, query: `theme=${theme}&case=long`, act: zoomIn };
  pages[`picker-${theme}`] = {
    width: 1100,
    query: `theme=${theme}&case=many`,
    act: (page) => page.getByRole("button", { name: "Choose" }).click(),
  };
  for (const width of [1100, 320]) {
    pages[`export-${width}-${theme}`] = {
      width,
      query: `theme=${theme}&pause=4`,
      act: (page) => page.getByRole("button", { name: "Export" }).click(),
    };
  }
  pages[`wide-${theme}`] = {
    width: 1100,
    query: `theme=${theme}&pause=4`,
    act: (page) => page.getByRole("button", { name: "larger scene" }).click(),
  };
  for (const width of [1200, 720, 320]) {
    for (const tab of ["Events", "Facts"]) {
      pages[`${tab.toLowerCase()}-${width}-${theme}`] = {
        width,
        query: `theme=${theme}&pause=4`,
        act: (page) => page.getByRole("tab", { name: tab }).click(),
      };
    }
    for (const name of ["absent", "offered", "asking", "pulling", "unpulled", "unknown"]) {
      pages[`writer-${name}-${width}-${theme}`] = {
        width,
        query: `theme=${theme}&case=${name}`,
        act: (page) => page.locator(".writer").click(),
      };
    }
    pages[`plane-${width}-${theme}`] = { width, query: `theme=${theme}&pause=4`, act: showPlane };
    pages[`details-${width}-${theme}`] = {
      width,
      query: `theme=${theme}&pause=4`,
      act: async (page) => {
        await page.locator("button.line").nth(0).click();
        await page.locator("button.line").nth(3).click();
      },
    };
    pages[`many-events-${width}-${theme}`] = { width, query: `theme=${theme}&case=events`, act: walkEvents };
  }
  for (const name of [
    "waiting",
    "absent",
    "empty",
    "one",
    "constant",
    "nan",
    "log",
    "long",
    "many",
    "groups",
    "names",
    "rejected",
    "watched",
    "compared",
    "version",
  ]) {
    pages[`${name}-${theme}`] = { width: 1100, query: `theme=${theme}&case=${name}` };
  }
}

async function standAt34(page) {
  await page.getByRole("button", { name: "iterations 14–38" }).first().click();
  await page.getByRole("slider", { name: "iteration" }).focus();
  for (let step = 0; step < 20; step++) await page.keyboard.press("ArrowRight");
}

async function zoomIn(page) {
  await page.getByRole("slider", { name: "iteration" }).focus();
  await page.keyboard.press("Home");
  for (let step = 0; step < 9; step++) await page.keyboard.press("+");
}

async function showPlane(page) {
  await page.getByRole("button", { name: "Show the path in a plane" }).click();
  await standAt34(page);
}

async function walkEvents(page) {
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("slider", { name: "iteration" }).focus();
  for (let step = 0; step < 30; step++) await page.keyboard.press("PageDown");
  await page.getByRole("grid").focus();
  await page.keyboard.press("ArrowDown");
}

await mkdir(folder, { recursive: true });
const { address, stop } = await serveDevPage();
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
for (const [name, { width, query, act }] of Object.entries(pages)) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const page = await browser.newPage({
    viewport: { width: width + 32, height: 700 },
    deviceScaleFactor: 1.5,
  });
  page.on("console", (message) => message.type() === "error" && console.log(name, message.text()));
  page.on("pageerror", (error) => console.log(name, error.message));
  await page.goto(`${address}?${query}`);
  await page.waitForSelector("body[data-ready]", { timeout: 60_000 });
  await act?.(page);
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await page.close();
}
await browser.close();
await stop();
