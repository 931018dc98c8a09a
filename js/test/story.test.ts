// The story: headline, chapters, answers, evidence and the track, on a fake model.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { encode } from "../dev/packet";
import { SERIES } from "../dev/rail-texts";
import { chapterAt } from "../src/chapters";
import { mountStatic } from "../src/index";
import { MOST_LABELS, placeMarks } from "../src/plot/track-labels";
import type { Caption, Part, Span } from "../src/protocol";
import { atSentence } from "../src/view/findings";
import { CAPTION } from "./caption";
import { show } from "./show";

let model: FakeModel;
let el: HTMLElement;
let controller: AbortController;

const shadow = () => el.firstElementChild?.shadowRoot as ShadowRoot;
const find = <T extends HTMLElement>(selector: string) => shadow().querySelector<T>(selector) as T;
const all = (selector: string) => [...shadow().querySelectorAll<HTMLElement>(selector)];
const at = () => find("[role=slider]").getAttribute("aria-valuenow");
const words = (text: string): Part[] => [{ text, kind: "text" }];
const chapter = (heading: string, span: Span, more: Partial<Caption> = {}): Caption => ({
  ...CAPTION,
  id: heading,
  heading,
  span,
  parts: words(`${heading} in full.`),
  short: words(`${heading} in short.`),
  cites: ["F1"],
  ...more,
});
const rows = (count: number) => ({
  iteration: Float64Array.from({ length: count }, (_, row) => row),
  loss: Float64Array.from({ length: count }, (_, row) => 100 - row),
  p0: Float64Array.from({ length: count }, (_, row) => row),
});
const head = (more = {}) =>
  ({ title: "t", status: "finished", state: "finished", notices: [], noun: "iteration", ...more }) as never;

function tell(captions: Caption[], more = {}): void {
  model = new FakeModel();
  show(model, el, controller.signal);
  model.receive(encode({ kind: "snapshot", head: head(), captions, series: [...SERIES], ...more }, rows(30)));
}

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
});

afterEach(() => {
  controller.abort();
  el.remove();
  localStorage.clear();
});

describe("the headline", () => {
  it("says what the run comes to and how, the names with their colours", () => {
    const beneath: Part[] = [...words("mostly by "), { text: "village-west · y", kind: "name" }];
    tell([], { headline: { text: "15 % cheaper", beneath, span: [0, 29], cites: ["F1"], wrong: false } });
    expect(find(".headline").getAttribute("aria-label")).toBe("15 % cheaper, iterations 0–29");
    expect(find(".headline .name-dot").getAttribute("style")).toContain("--series-1");
    expect(find(".beneath").textContent).toContain("mostly by village-west · y");
    expect(find(".headline .ring").getAttribute("aria-label")).toBe("what this rests on");
  });

  it("waits for the first gradient", () => {
    tell([]);
    model.receive(
      encode({ kind: "snapshot", sequence: 2, head: head({ status: "running" }), headline: null }),
    );
    expect(find(".headline-text").textContent).toBe("Waiting for the first gradient");
  });
});

describe("chapters", () => {
  const open = () => all(".chapter.open .chapter-title").map((node) => node.textContent);

  it("open at the cursor; the others say one sentence; a press moves to the end and selects", () => {
    tell([chapter("Descent", [0, 10]), chapter("Settled", [10, 29])]);
    expect(open()).toEqual(["Settled"]);
    expect(all(".chapter-text").map((node) => node.textContent?.trim())).toEqual([
      "Descent in short.",
      expect.stringContaining("Settled in full."),
    ]);
    find(".chapter-head").click();
    expect(at()).toBe("10");
    expect(open()).toEqual(["Descent"]);
    expect(find(".ask input").getAttribute("placeholder")).toContain("iterations 0–10");
    expect(all(".chapter-change").map((node) => node.textContent)).toEqual(["−10", "−19"]);
  });

  it("that are many show the open one and its neighbours", () => {
    tell([0, 1, 2, 3, 4, 5].map((index) => chapter(`c${index}`, [5 * index, 5 * index + 4])));
    expect(all(".chapter-title").map((node) => node.textContent)).toEqual(["c4", "c5"]);
    find(".more-chapters").click();
    expect(all(".chapter")).toHaveLength(6);
  });

  it("are one for the whole run where none was found, and one where a run is not ended yet", () => {
    tell([{ ...chapter("Summary", [0, 29]), role: "summary" }]);
    expect(all(".chapter-title").map((node) => node.textContent)).toEqual(["Whole run"]);
    expect(find(".provisional").hidden).toBe(true);
    model.receive(encode({ sequence: 2, captions: [], head: head({ status: "running" }) }));
    expect(find(".headline-text").textContent).toBe("Too early to tell");
    expect(find(".provisional").textContent).toBe("The explanation appears here, chapter by chapter.");
  });

  it("change at most once a second while the run plays", () => {
    vi.useFakeTimers();
    try {
      tell([chapter("Descent", [0, 10]), chapter("Settled", [10, 29])]);
      model.set("iteration", 3);
      expect(open()).toEqual(["Descent"]);
      find(".play").click();
      const changes = new Set<number>();
      for (let time = 0; time < 3000; time += 20) {
        vi.advanceTimersByTime(20);
        if (open()[0] === "Settled") changes.add(time);
      }
      // The second begins a second after the first was opened, however soon the cursor came there.
      expect(Math.min(...changes)).toBeGreaterThanOrEqual(980);
    } finally {
      vi.useRealTimers();
    }
  });

  it("belong to the iterations that they end with", () => {
    const chapters = [chapter("a", [0, 10]), chapter("b", [10, 29])];
    expect([0, 5, 10, 11, 29].map((iteration) => chapterAt(chapters, iteration))).toEqual([0, 0, 0, 1, 1]);
  });
});

describe("a question", () => {
  const ask = (text: string) => {
    find<HTMLInputElement>(".ask input").value = text;
    find("form").dispatchEvent(new Event("submit", { cancelable: true }));
    return (model.sent.at(-1) as { request: number }).request;
  };

  it("is answered above the box, stands at its iterations, and offers others; Escape gives the chapters back", () => {
    tell([chapter("Descent", [0, 10]), chapter("Settled", [10, 29])], {
      suggestions: ["Why is it cheaper?"],
    });
    expect(find<HTMLInputElement>(".ask input").placeholder).toBe("Ask, e.g. “Why is it cheaper?”");
    const request = ask("Why?");
    expect(find(".answer").textContent).toContain("asking…");
    const caption = { ...chapter("Why?", [3, 8]), parts: words("Because.") };
    model.receive(encode({ sequence: 2, answers: [{ request, caption }] }));
    expect(find("article.answer").getAttribute("aria-label")).toBe("Why?, iterations 3–8");
    expect(find("[role=status]").textContent).toBe("Because.");
    expect(at()).toBe("8");
    find(".chip").click();
    expect(model.sent.at(-1)).toMatchObject({ type: "ask", question: "Why is it cheaper?" });
    find(".answer-box").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(find(".answer-box").hidden).toBe(true);
    expect(shadow().activeElement).toBe(find(".ask input"));
  });
});

describe("what is wrong", () => {
  it("is split into what and why", () => {
    const [what, why] = atSentence([
      ...words("It broke: at "),
      { text: "3", kind: "number" },
      ...words(" it did. Then more."),
    ]);
    expect(what.map(({ text }) => text).join("")).toBe("It broke: at 3 it did.");
    expect(why.map(({ text }) => text).join("")).toBe("Then more.");
  });

  it("is open where it is gravest, the others are a line each", () => {
    const finding = (id: string) => ({
      id,
      kind: "k",
      heading: "Warning" as const,
      text: words(`${id} happened.`),
      advice: words(`Mend ${id}.`),
      span: [0, 1] as const,
      cites: [],
    });
    tell([], { findings: [finding("D1"), finding("D2")] });
    const open = () => all(".finding.open").map((node) => node.querySelector(".advice")?.textContent);
    expect(open()).toEqual(["What to do: Mend D1."]);
    all(".finding-head")[1]?.click();
    expect(open()).toEqual(["What to do: Mend D2."]);
  });

  it("has the headline as its title where that says the same, and is a line where it is a caution", () => {
    const finding = (heading: "Warning" | "Caution") => ({
      id: heading,
      kind: "k",
      heading,
      text: words("It broke. Then more."),
      advice: words("Mend it."),
      span: [0, 1] as const,
      cites: [],
    });
    const headline = { text: "Broken", beneath: [], span: [0, 29] as const, cites: [], wrong: true };
    tell([], { findings: [finding("Warning")], headline });
    expect([find(".finding-what").textContent, find(".finding-why").textContent]).toEqual([
      "Broken",
      "It broke. Then more.",
    ]);
    expect(find(".headline").hidden).toBe(true);
    model.receive(
      encode({ sequence: 2, findings: [finding("Caution")], headline: { ...headline, wrong: false } }),
    );
    expect(find(".finding-head").textContent).toContain("It broke.");
    expect([find(".finding > div").hidden, find(".headline").hidden]).toEqual([true, false]);
  });
});

describe("the details", () => {
  it("are folded, remembered, and opened by what is cited or asked for by name", () => {
    tell([chapter("Descent", [0, 29])]);
    const fold = () =>
      all(".fold").find((node) => node.getAttribute("aria-label") === "Details") as HTMLElement;
    expect([fold().getAttribute("aria-expanded"), find("#details").hidden]).toEqual(["false", true]);
    fold().click();
    expect([fold().getAttribute("aria-expanded"), find("#details").hidden]).toEqual(["true", false]);
    controller.abort();
    controller = new AbortController();
    tell([]);
    expect(find("#details").hidden).toBe(false);
    model.receive(encode({ sequence: 2, head: head({ view: "story" }) }));
    expect(find("#details").hidden).toBe(true);
    fold().click();
    fold().click();
    expect(localStorage.length).toBe(0);
  });

  it("are open in a page that asks for them", () => {
    const packet = encode({ kind: "snapshot", head: head({ view: "details" }) }, rows(3));
    const end = mountStatic(el, packet);
    expect(find("#details").hidden).toBe(false);
    end();
  });
});

describe("the reasons", () => {
  const table = {
    span: [0, 29] as const,
    label: "",
    parts: [[-20], [-9]],
    together: [-20, -9],
    changes: [-29],
    change: -29,
    doubt: 0.1,
    why_not: "",
  };
  const reasons = {
    why_not: "",
    unit: "",
    lower: "cheaper",
    higher: "dearer",
    rows: ["a", "b"].map((name) => ({ name, label: name, unit: "", directions: null })),
    terms: [{ name: "length", label: "length", unit: "", factor: 1 }],
    tables: [table],
    pushes: null,
    facts: [{ id: "F1", span: [0, 29] as const, row: 1, terms: [0] }],
  };
  const fold = () =>
    all(".fold").find((node) => node.getAttribute("aria-label") === "Reasons") as HTMLElement;

  it("unfold where they are known, and a pressed cell shows the chapter that tells of it", () => {
    tell([chapter("All", [0, 29])]);
    expect(fold().hidden).toBe(true);
    model.receive(encode({ sequence: 2, reasons: reasons as never }));
    expect([fold().hidden, find("#reasons").hidden]).toEqual([false, true]);
    fold().click();
    expect(find("#reasons").hidden).toBe(false);
    const cells = all("#reasons .half .cell");
    cells.find((node) => node.getAttribute("aria-label")?.startsWith("a, length"))?.click();
    expect(all(".chapter.told")).toHaveLength(0);
    all("#reasons .half .cell")
      .find((node) => node.getAttribute("aria-label")?.startsWith("b, length"))
      ?.click();
    expect(all(".chapter.told")).toHaveLength(1);
  });
});

describe("without a scene", () => {
  it("what moved is shown from its start to the cursor", () => {
    tell([], { series: SERIES.slice(0, 1) });
    expect(find(".moved").hidden).toBe(false);
    expect(find(".dumbbells").textContent).toContain("0 → 29\u00a0km");
    model.set("iteration", 3);
    expect(find(".dumbbells").textContent).toContain("0 → 3\u00a0km");
    model.receive(encode({ sequence: 2, head: head({ has_scene: true }) }));
    expect(find(".moved").hidden).toBe(true);
  });
});

describe("the words of marks", () => {
  const room = { left: 0, right: 600, top: 20, bottom: 100 };
  const flat = () => 60;

  it("stand off the curve, off each other, and within the track", () => {
    const points = [100, 130, 590].map((x) => ({ x, y: 60, width: 120 }));
    const boxes = placeMarks(points, room, flat, []);
    for (const box of boxes) {
      if (!box) continue;
      expect(box.left).toBeGreaterThanOrEqual(0);
      expect(box.right).toBeLessThanOrEqual(600);
      expect(box.bottom <= 60 || box.top >= 60).toBe(true);
    }
    const [one, other] = boxes;
    expect(
      one && other && (one.right < other.left || one.bottom <= other.top || one.top >= other.bottom),
    ).toBe(true);
  });

  it("are few, and those without a place go", () => {
    const points = Array.from({ length: 40 }, (_, index) => ({ x: 15 * index, y: 60, width: 60 }));
    const placed = placeMarks(points, room, flat, []).filter(Boolean);
    expect(placed.length).toBeLessThanOrEqual(MOST_LABELS);
    expect(placeMarks([{ x: 10, y: 60, width: 900 }], room, flat, [])).toEqual([null]);
  });
});
