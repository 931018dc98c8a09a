import { afterEach, expect, it } from "vitest";
import { detectTheme, luminance } from "../src/theme";

afterEach(() => {
  for (const name of document.body.getAttributeNames()) document.body.removeAttribute(name);
});

it("knows the hosts by their marks", () => {
  document.body.setAttribute("data-jp-theme-light", "false");
  expect(detectTheme(document.body)).toBe("dark");
  document.body.setAttribute("data-jp-theme-light", "true");
  expect(detectTheme(document.body)).toBe("light");
  document.body.removeAttribute("data-jp-theme-light");
  document.body.className = "vscode-dark";
  expect(detectTheme(document.body)).toBe("dark");
});

it("else goes by the background", () => {
  document.body.style.backgroundColor = "rgb(20, 20, 20)";
  expect(detectTheme(document.body)).toBe("dark");
  document.body.style.backgroundColor = "rgb(250, 250, 250)";
  expect(detectTheme(document.body)).toBe("light");
});

it("does not judge by what is transparent", () => {
  expect(luminance("rgba(0, 0, 0, 0)")).toBeNull();
  expect(luminance("rgb(255, 255, 255)")).toBeCloseTo(1);
});
