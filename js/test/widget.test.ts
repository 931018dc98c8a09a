// The widget as a host sees it: mounted on a fake model, looked at through roles and names.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { ODD_RUNS } from "../dev/odd-runs";
import { encode } from "../dev/packet";
import { SERIES } from "../dev/rail-texts";
import factory, { mountStatic } from "../src/index";
import type { Caption, Fact, Finding, RunEvent, Sentence, Span } from "../src/protocol";
import { State } from "../src/state";
import { Store } from "../src/store";
import { asCsv } from "../src/view/table";
import { decode } from "../src/wire";
import { CAPTION } from "./caption";
import { show } from "./show";

let model: FakeModel;
let el: HTMLElement;
let controller: AbortController;

const shadow = () => el.firstElementChild?.shadowRoot as ShadowRoot;
const find = <T extends HTMLElement>(selector: string) => shadow().querySelector<T>(selector) as T;
const slider = () => find("[role=slider]");
/** Where the cursor is. */
const at = () => slider().getAttribute("aria-valuenow");
const press = (key: string, shiftKey = false) =>
  slider().dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
const odd = (name: string) => ODD_RUNS[name]?.() as Uint8Array<ArrayBuffer>;

function mount(traits: ConstructorParameters<typeof FakeModel>[0] = {}): void {
  model = new FakeModel(traits);
  show(model, el, controller.signal);
}

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
});

afterEach(() => {
  controller.abort();
  el.remove();
});

describe("a kernel", () => {
  const asks = () => !find<HTMLInputElement>(".ask input").disabled;

  it("that never answers is not waited for, and believed again once it does", () => {
    vi.useFakeTimers();
    try {
      mount();
      model.receive(odd("log"));
      vi.advanceTimersByTime(20_000);
      expect(asks()).toBe(true);
      controller.abort();
      controller = new AbortController();

      mount({ _snapshot: new DataView(odd("log").buffer) });
      expect(model.greetings).toBe(1);
      expect(asks()).toBe(true);
      vi.advanceTimersByTime(6000);
      expect(asks()).toBe(false);
      model.say({ type: "here" });
      expect(asks()).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("what is wrong", () => {
  const finding = (heading: "Warning" | "Caution", text: string): Finding => ({
    id: text,
    kind: "not-finite",
    heading,
    text: [{ text, kind: "text" }],
    advice: [{ text: `Mend it: ${text}`, kind: "text" }],
    span: [1, 2],
    cites: [],
  });
  const articles = () => [...shadow().querySelectorAll<HTMLElement>(".finding")];

  it("stands above the explanation with what to do, and is found by its severity", () => {
    mount();
    expect(articles()).toEqual([]);
    const found = [finding("Warning", "<b>first</b>"), finding("Caution", "second")];
    model.receive(encode({ sequence: 1, findings: found }));
    expect(articles().map((node) => node.getAttribute("aria-label"))).toEqual([
      "Warning, iterations 1–2",
      "Caution, iterations 1–2",
    ]);
    expect(articles()[0]?.textContent).toContain("<b>first</b>");
    expect(articles()[0]?.textContent).toContain("What to do: Mend it: <b>first</b>");
    expect(find("article")).toBe(articles()[0]);
    model.receive(encode({ sequence: 2, findings: [] }));
    expect(articles()).toEqual([]);
  });

  it("lights its iterations while it is pointed at, and selects them", () => {
    mount();
    const columns = { iteration: new Float64Array([0, 1, 2, 3]), loss: new Float64Array([4, 3, 2, 1]) };
    model.receive(encode({ kind: "snapshot", findings: [finding("Warning", "first")] }, columns));
    expect(at()).toBe("3");
    articles()[0]?.click();
    expect(at()).toBe("1");
  });
});

describe("life-cycle", () => {
  it("leaves nothing behind", () => {
    const sheets = document.adoptedStyleSheets.length;
    mount();
    model.receive(odd("log"));
    expect(model.listenerCount).toBeGreaterThan(0);
    expect(document.adoptedStyleSheets.length).toBe(sheets + 1);
    controller.abort();
    expect(model.listenerCount).toBe(0);
    expect(document.adoptedStyleSheets.length).toBe(sheets);
    expect(el.childElementCount).toBe(0);
  });

  it("asks nothing of a kernel that is gone, as Jupyter tells of the layout", () => {
    const tell = new Set<() => void>();
    const layout = {
      comm_live: true,
      on: (_: string, listener: () => void) => tell.add(listener),
      off: (_: string, listener: () => void) => tell.delete(listener),
    };
    const box = () => find<HTMLInputElement>(".ask input");
    mount({ layout });
    model.receive(odd("log"));
    expect(box().disabled).toBe(false);
    layout.comm_live = false;
    for (const listener of tell) listener();
    expect(box().disabled).toBe(true);
    controller.abort();
    expect(tell.size).toBe(0);
    el.replaceChildren();
    controller = new AbortController();
    mount({ layout });
    expect(box().disabled).toBe(true);
  });

  it("ends by the returned clean-up on hosts without a signal", () => {
    model = new FakeModel();
    const widget = factory();
    const endModel = widget.initialize({ model: model.asModel() } as never);
    const endView = widget.render({ model: model.asModel(), el } as never);
    endView();
    expect(el.childElementCount).toBe(0);
    endModel();
    expect(model.listenerCount).toBe(0);
  });

  it("keeps messages that arrive before a view is there", () => {
    model = new FakeModel();
    const widget = factory();
    const props = { model: model.asModel(), signal: controller.signal };
    widget.initialize(props as never);
    model.receive(odd("log"));
    widget.render({ ...props, el } as never);
    expect(slider().getAttribute("aria-valuenow")).toBe("1999");
  });
});

describe("what a browser finds", () => {
  it("names the region, the tabs, the slider, the status and the question box", () => {
    mount();
    model.receive(odd("log"));
    expect(find("[role=region]").getAttribute("aria-label")).toBe("Rail route A→B");
    expect(find("[role=region]").dataset.xinvRun).toBe("dev");
    const tabs = [...shadow().querySelectorAll("[role=tablist] [role=tab]")];
    expect(tabs.map((tab) => tab.getAttribute("aria-label"))).toEqual(["Explanation", "Events", "Facts"]);
    expect(shadow().querySelectorAll("[aria-label=iteration]")).toHaveLength(1);
    expect(shadow().querySelectorAll("[role=status]")).toHaveLength(1);
    expect(find("[role=status]").textContent).toBe("finished · 2000 iterations");
    expect(find(".ask input").getAttribute("aria-label")).toBe("Ask about this run");
  });

  it("moves the cursor by keys", () => {
    mount();
    model.receive(odd("log"));
    const now = () => Number(slider().getAttribute("aria-valuenow"));
    press("Home");
    expect(now()).toBe(0);
    press("ArrowRight");
    press("ArrowUp");
    press("ArrowRight", true);
    press("PageUp");
    expect(now()).toBe(22);
    press("ArrowLeft");
    press("PageDown");
    expect(now()).toBe(11);
    expect(slider().getAttribute("aria-valuetext")).toMatch(/^11 of 1999, 37\d[\d.]*\u00a0M€$/);
    press("End");
    expect(now()).toBe(1999);
    press(" ");
    expect(find(".play").getAttribute("aria-label")).toBe("pause");
  });

  it("follows the newest iteration until the reader moves, and again after End", () => {
    mount();
    const rows = (k: number) => ({ iteration: Float64Array.of(k), loss: Float64Array.of(1) });
    const head = { title: "t", status: "running", state: "recording", notices: [] } as never;
    model.receive(encode({ sequence: 1, head }, rows(0)));
    model.receive(encode({ sequence: 2 }, rows(1)));
    expect(at()).toBe("1");
    press("Home");
    model.receive(encode({ sequence: 3 }, rows(2)));
    expect(at()).toBe("0");
    press("End");
    model.receive(encode({ sequence: 4 }, rows(3)));
    expect(at()).toBe("3");
  });

  it("writes the traits after a pause, and reads them", async () => {
    mount();
    model.receive(odd("log"));
    press("Home");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(model.get("iteration")).toBe(0);
    model.set("iteration", 7);
    expect(at()).toBe("7");
  });
});

describe("zoom", () => {
  const hidden = (text: string) =>
    [...shadow().querySelectorAll<HTMLElement>(".zoom-bar > *")].find((node) =>
      node.textContent?.includes(text),
    )?.hidden;
  const click = (text: string) =>
    [...shadow().querySelectorAll<HTMLElement>(".zoom-bar button")]
      .find((node) => node.textContent?.startsWith(text))
      ?.click();

  it("goes in around the cursor by keys, and out by a button that is seen only then", () => {
    mount();
    model.receive(odd("log"));
    expect(hidden("Show the whole run")).toBe(true);
    press("Home");
    press("+");
    press("+");
    expect(hidden("Show the whole run")).toBe(false);
    expect(find(".zoom-bar").textContent).toContain("iterations 0–499 shown");
    press("-");
    expect(find(".zoom-bar").textContent).toContain("iterations 0–999 shown");
    press("End");
    expect(find(".zoom-bar").textContent).toContain("–1999 shown");
    click("Show the whole run");
    expect(hidden("Show the whole run")).toBe(true);
    press("+");
    press("0");
    expect(hidden("Show the whole run")).toBe(true);
  });

  it("goes to the selected span", async () => {
    mount();
    model.receive(odd("log"));
    model.set("span", [100, 140]);
    click("Zoom to iterations 100–140");
    expect(find(".zoom-bar").textContent).toContain("iterations 100–140 shown");
    expect(hidden("Zoom to")).toBe(true);
  });
});

describe("what is drawn", () => {
  const choices = () => [...shadow().querySelectorAll<HTMLElement>(".choice")];
  const names = () => [...shadow().querySelectorAll(".legend .name")].map((node) => node.textContent);

  it("is chosen from a list that can be searched, those that moved most first", () => {
    mount();
    const series = ["still", "fast", "slow"].map((name, key) => ({
      ...SERIES[0],
      key,
      name,
      label: name,
      shown: key < 2,
    }));
    const column = (step: number) => Float64Array.of(0, step, 2 * step);
    model.receive(
      encode(
        { sequence: 1, series: series as never },
        { iteration: column(1), p0: column(0), p1: column(5), p2: column(1) },
      ),
    );
    expect(names()).toEqual(["still", "fast"]);
    expect(find(".choose").textContent).toBe("Choose… 2 of 3 are drawn");
    find(".choose").click();
    expect(choices().map((node) => node.querySelector(".name")?.textContent)).toEqual([
      "fast",
      "slow",
      "still",
    ]);
    expect(choices()[0]?.textContent).toContain("moved by 10\u00a0km");
    const search = find<HTMLInputElement>(".picker input[type=search]");
    search.value = "SLO";
    search.dispatchEvent(new Event("input"));
    expect(choices()).toHaveLength(1);
    choices()[0]?.querySelector("input")?.click();
    expect(names()).toEqual(["still", "fast", "slow"]);
    expect(find(".choose").textContent).toBe("Choose what is drawn…");
  });

  it("keeps the focus on the name that was isolated", () => {
    mount();
    model.receive(encode({ sequence: 1, series: [...SERIES] }));
    const [entry] = shadow().querySelectorAll<HTMLElement>(".legend .entry");
    entry?.focus();
    entry?.click();
    expect(shadow().activeElement).toBe(entry);
    expect(entry?.isConnected).toBe(true);
  });
});

describe("a screen reader", () => {
  it("hears the chapter and the loss at the cursor, and of what is shown alone its value", () => {
    mount();
    const series = ["speed", "angle", "mass", "drag"].map((name, key) => ({
      ...(SERIES[0] as object),
      ...{ key, name, label: name, unit: key === 0 ? "m/s" : "", statistic: "", shown: true },
    }));
    const columns = Object.fromEntries(series.map(({ key }) => [`p${key}`, Float64Array.of(key + 0.5)]));
    model.receive(
      encode(
        { series: series as never },
        { iteration: Float64Array.of(0), loss: Float64Array.of(7), ...columns },
      ),
    );
    const heard = () => slider().getAttribute("aria-valuetext");
    expect(heard()).toBe("0 of 0, 7");
    model.set("selected", ["drag"]);
    expect(heard()).toBe("0 of 0, 7, drag 3.5");
    const chapters = ["Descent", "Settled"].map((heading, index) => ({
      ...CAPTION,
      heading,
      span: [index, index],
    }));
    model.receive(encode({ sequence: 2, captions: chapters as never }));
    expect(heard()).toBe("0 of 0, Descent, 7, drag 3.5");
  });
});

describe("the table behind the plots", () => {
  const cells = (row: Element | null) => [...(row?.children ?? [])].map((cell) => cell.textContent);
  const open = () =>
    [...shadow().querySelectorAll<HTMLElement>(".plot-actions button")]
      .find((node) => node.textContent === "Show as table")
      ?.click();

  it("holds every number that is drawn, the cursor's row marked", () => {
    mount();
    model.receive(odd("watched"));
    open();
    expect(cells(find(".table thead tr")).slice(0, 5)).toEqual([
      "iteration",
      "miss [m]",
      "speed [km]",
      "∂miss/∂speed",
      "height of the apex [m]",
    ]);
    expect(find(".table caption").textContent).toBe("Iterations 200 to 239 of 239");
    press("Home");
    expect(find(".table caption").textContent).toBe("Iterations 0 to 49 of 239");
    expect(cells(find(".table tr[aria-current]")).slice(0, 4)).toEqual(["0", "30", "1", "−1"]);
    expect(find(".plots").style.visibility).toBe("hidden");
  });

  it("tells accepted steps from what is none, and turns its pages", () => {
    mount();
    model.receive(odd("rejected"));
    press("Home");
    open();
    const rows = [...shadow().querySelectorAll(".table tbody tr")];
    expect(rows.slice(0, 2).map((row) => cells(row)[2])).toEqual(["accepted", "no step"]);
    find<HTMLElement>(".table-foot button:last-child").click();
    expect(find(".table caption").textContent).toBe("Iterations 50 to 59 of 59");
  });
});

const button = (text: string) =>
  [...shadow().querySelectorAll<HTMLElement>("button")].find(
    (node) => node.textContent === text,
  ) as HTMLElement;

describe("events", () => {
  const openEvents = () => find<HTMLElement>("[role=tab][aria-label=Events]").click();
  const grid = () => find("[role=grid]");
  const rows = () => [...shadow().querySelectorAll<HTMLElement>("[role=grid] .event[data-id]")];
  const key = (name: string) =>
    grid().dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const type = (text: string) => {
    const search = find<HTMLInputElement>("[aria-label='search events']");
    search.value = text;
    search.dispatchEvent(new Event("input"));
  };

  it("are a table of which only the rows in sight exist, and which says how many there are", () => {
    mount();
    model.receive(odd("events"));
    openEvents();
    expect(rows().length).toBeLessThan(60);
    expect(grid().getAttribute("aria-rowcount")).toBe("3001");
    expect(rows()[0]?.getAttribute("aria-rowindex")).toBe("2");
    const body = rows()[0]?.parentElement as HTMLElement;
    expect(Number.parseFloat(body.style.paddingBottom)).toBeGreaterThan(50_000);
  });

  it("that are too many to be listed are counted", () => {
    mount();
    const event = { id: "e1", evaluation: 0, phase: "forward", text: "t", stage: "", count: 1, lane: true };
    model.receive(encode({ kind: "snapshot", events: [event] as never, events_total: 5431 }));
    openEvents();
    expect(find(".found").textContent).toBe("1 of 5431 are listed");
  });

  it("are found by words, by stage, by iteration, and by pass", () => {
    mount();
    model.receive(odd("events"));
    openEvents();
    type("VILLAGE asks");
    expect(find(".found").textContent).toBe("1000 of 3000");
    expect(rows()[0]?.textContent).toContain("the village asks village-west to move north");
    type("drive 999");
    expect(rows().map((row) => row.dataset.id)).toEqual(["e2998"]);
    type("");
    button("▲forward1000").click();
    expect(find(".found").textContent).toBe("2000 of 3000");
    expect(rows().every((row) => row.querySelector("[aria-label=forward]") === null)).toBe(true);
    type("no such thing");
    expect(grid().hidden).toBe(true);
    expect(find("#panel-Events .quiet").textContent).toBe("No event contains this.");
  });

  it("move the cursor, by pointer and by keys, and those at the cursor are lit", () => {
    mount();
    model.receive(odd("events"));
    openEvents();
    rows()[7]?.click();
    expect(at()).toBe("2");
    const lit = () => rows().filter((row) => row.getAttribute("aria-current") === "true");
    expect(lit().map((row) => row.dataset.id)).toEqual(["e7", "e8", "e9"]);
    for (const name of ["Home", "ArrowDown", "PageDown", "ArrowUp", "Enter"]) key(name);
    expect(at()).toBe("3");
    expect(grid().getAttribute("aria-activedescendant")).toBe("event-e11");
    expect(find("#event-e11").classList.contains("active")).toBe(true);
    key("End");
    key(" ");
    expect(at()).toBe("999");
  });

  it("that are cited are seen, whatever was searched for", () => {
    mount();
    model.receive(odd("events"));
    const caption: Caption = { ...CAPTION, cites: ["e2500"] };
    model.receive(encode({ sequence: 2, captions: [caption] }));
    openEvents();
    type("nothing");
    find<HTMLElement>(".cite").click();
    expect(find(".event.cited").dataset.id).toBe("e2500");
    expect(find<HTMLInputElement>("[aria-label='search events']").value).toBe("");
  });
});

describe("facts", () => {
  it("stand under the question that they answer; a click selects the span", () => {
    mount();
    model.receive(odd("log"));
    const fact = (id: string, kind: string): Fact => ({ id, kind, text: id, span: [3, 9], cites: [] });
    model.receive(
      encode({
        sequence: 2,
        facts: [fact("F1", "movement"), fact("F2", "new"), fact("F3", "best")],
        fact_groups: [
          { question: "What became of the loss?", kinds: ["best", "gap"] },
          { question: "How fast?", kinds: ["gain"] },
          { question: "What moved, when, how far?", kinds: ["movement"] },
        ],
      }),
    );
    const groups = [...shadow().querySelectorAll(".fact-group")].map((group) => [
      group.querySelector("h3")?.textContent,
      [...group.querySelectorAll<HTMLElement>(".fact")].map((row) => row.dataset.id),
    ]);
    expect(groups).toEqual([
      ["What became of the loss?", ["F3"]],
      ["What moved, when, how far?", ["F1"]],
      ["What else?", ["F2"]],
    ]);
    find<HTMLElement>(".fact").click();
    expect(at()).toBe("3");
    expect(find(".zoom-bar").textContent).toContain("Zoom to iterations 3–9");
  });
});

describe("compare", () => {
  const asked = () => (model.sent[model.sent.length - 1] as { request: number }).request;
  const settle = () => new Promise((resolve) => setTimeout(resolve));

  it("lays the run over others that the kernel names, in a view of its own", async () => {
    mount();
    model.receive(odd("log"));
    button("Compare").click();
    expect(model.sent[0]).toMatchObject({ type: "runs" });
    const others = [{ id: "b1", name: "<b>other</b>", state: "converged" }];
    model.receive(encode({ sequence: 2, other_runs: { request: asked(), runs: others } }));
    await settle();
    const choice = find<HTMLElement>(".sheet:not([hidden]) .choice");
    expect(choice.textContent).toBe("<b>other</b>converged");
    button("Lay over this run").click();
    expect(find(".sheet:not([hidden]) > p").textContent).toBe("Choose a run first.");
    choice.querySelector("input")?.click();
    button("Lay over this run").click();
    expect(model.sent[1]).toMatchObject({ type: "compare", runs: ["b1"] });
    model.receive(
      encode({ sequence: 3, failure: { request: asked(), text: "It can be compared once it has ended." } }),
    );
    await settle();
    expect(find(".sheet:not([hidden]) > p").textContent).toBe("It can be compared once it has ended.");
    button("Lay over this run").click();
    model.receive(
      encode({ sequence: 4 }, {}, [], { comparison: { request: asked(), bytes: odd("compared") } }),
    );
    await settle();
    const inner = [...shadow().querySelectorAll("div")].find((node) => node.shadowRoot)?.shadowRoot;
    expect(inner?.querySelector("[role=region]")?.getAttribute("aria-label")).toBe("Adam and SGD compared");
    const legend = [...(inner?.querySelectorAll(".legend .name") ?? [])].map((node) => node.textContent);
    expect(legend).toEqual(["Adam", "SGD"]);
    expect(inner?.querySelector<HTMLElement>(".ask")?.hidden).toBe(true);
    button("Close the comparison").click();
    expect([...shadow().querySelectorAll("div")].some((node) => node.shadowRoot)).toBe(false);
  });

  it("is not offered where no kernel is", () => {
    const end = mountStatic(el, odd("log"));
    expect(button("Compare").parentElement?.hidden).toBe(true);
    end();
  });
});

describe("export", () => {
  const choices = () =>
    [...shadow().querySelectorAll<HTMLElement>(".sheet .choice .name")].map((node) => node.textContent);

  it("asks the kernel for what only it can make, and says how it went", async () => {
    mount();
    model.receive(odd("log"));
    button("Export").click();
    expect(choices()).toEqual([
      "Interactive page",
      "Picture of the run",
      "All data",
      "These plots",
      "Table of what is drawn",
    ]);
    find(".sheet .choice").click();
    const asked = model.sent[0] as { type: string; request: number; format: string };
    expect(asked).toMatchObject({ type: "file", format: "page" });
    model.receive(encode({ sequence: 2, failure: { request: asked.request, text: "The disk is full." } }));
    await new Promise((resolve) => setTimeout(resolve));
    expect(find(".sheet:not([hidden]) > p").textContent).toBe("The disk is full.");
  });

  it("offers without a kernel what the browser can make", () => {
    const end = mountStatic(el, odd("log"));
    button("Export").click();
    expect(choices()).toEqual(["These plots", "Table of what is drawn"]);
    end();
  });

  it("says of a table of a long run that not all of it is there", () => {
    Object.assign(URL, { createObjectURL: () => "#saved", revokeObjectURL: () => {} });
    mount();
    const packet = decode(odd("log"));
    const head = { ...packet.header.head, thinned: 50 } as never;
    model.receive(odd("log"));
    model.receive(encode({ sequence: 99, run: packet.header.run, head }));
    button("Export").click();
    ([...shadow().querySelectorAll<HTMLElement>(".sheet .choice")].at(-1) as HTMLElement).click();
    expect(find(".sheet:not([hidden]) > p").textContent).toContain("one in 50 evaluations");
  });

  it("writes a table with every digit", () => {
    const store = new Store();
    const series = [{ ...SERIES[0], label: 'a, "b"' }] as never;
    const columns = { iteration: Float64Array.of(0, 1), loss: Float64Array.of(0.1 + 0.2, Number.NaN) };
    store.apply(decode(encode({ kind: "snapshot", series }, { ...columns, p0: Float64Array.of(1, 2) })));
    expect(asCsv(store, new State(store))).toBe(
      'iteration,loss,"a, ""b"" [km]"\n0,0.30000000000000004,1\n1,NaN,2\n',
    );
  });
});

describe("notices", () => {
  it("are seen whatever tab is open, and counted in the head", () => {
    mount();
    model.receive(odd("nan"));
    find<HTMLElement>("[role=tab][aria-label=Facts]").click();
    expect(find(".notices").hidden).toBe(false);
    expect(find(".notices").textContent).toBe("The loss is NaN from iteration 0 on.");
    expect(find(".noticed").textContent).toBe("1 notice ↓");
    expect(find(".noticed").closest(".head")).toBeTruthy();
  });
});

describe("texts", () => {
  it("never become HTML", () => {
    mount();
    model.receive(odd("names"));
    expect(shadow().querySelectorAll("img[onerror], script, h2 b, h3 i")).toHaveLength(0);
    expect(find(".chapter-text").textContent).toContain("<img src=x onerror=alert(1)>");
    expect(find("article.card").getAttribute("aria-label")).toBe("<i>Heading</i>, iterations 0–49");
    expect(find(".title").textContent).toContain("<b>Überlange</b>");
    const names = [...shadow().querySelectorAll(".legend .name")].map((node) => node.textContent);
    expect(names).toContain("<img src=x onerror=alert(1)>");
  });

  it("keep unchanged cards when one is replaced", () => {
    mount();
    const caption = (id: string, text: string): Caption => ({
      ...CAPTION,
      id,
      heading: id,
      parts: [{ text, kind: "text" }],
    });
    model.receive(encode({ sequence: 1, captions: [caption("a", "1"), caption("b", "2")] }));
    const [first] = shadow().querySelectorAll("article.card");
    model.receive(
      encode({ sequence: 2, captions: [caption("a", "1"), caption("x", "0"), caption("b", "3")] }),
    );
    const cards = [...shadow().querySelectorAll("article.card")];
    expect(cards.map((card) => card.getAttribute("aria-label")?.[0])).toEqual(["a", "x", "b"]);
    expect(cards[0]).toBe(first);
    expect(cards[2]?.textContent).toContain("3");
  });
});

describe("who worded a caption", () => {
  const sentence = (text: string, more = {}) => ({
    text,
    source: "built-in",
    cites: ["F1"],
    built_in: "",
    checked: "",
    dropped: "",
    claims: [],
    ...more,
  });
  const caption = (sentences: Sentence[], more: Partial<Caption> = {}): Caption => ({
    ...CAPTION,
    heading: "h",
    parts: [{ text: "t", kind: "text" }],
    line: "1 of 1 claims match the recording · m:1b",
    tone: "good",
    sentences,
    ...more,
  });
  const line = () => find<HTMLElement>("button.line");

  it("is one line, and behind it each sentence with its claims, what was dropped and why, and the model", () => {
    mount();
    const worded = sentence("It fell.", {
      source: "m:1b",
      built_in: "The loss fell.",
      checked: "in full",
      claims: [{ text: "fell", supported: true, reason: "from 9 to 4" }],
    });
    const dropped = sentence("It ended.", { dropped: "it calls the end a plateau" });
    const provenance = { model: "m:1b", digest: "0123456789abcdef", server: "0.9.6", seed: "7" };
    model.receive(encode({ sequence: 1, captions: [caption([worded, dropped], { provenance })] }));
    expect(line().textContent).toBe("✓ 1 of 1 claims match the recording · m:1b");
    expect(find(".details").hidden).toBe(true);
    line().click();
    expect(line().getAttribute("aria-expanded")).toBe("true");
    expect(find(".details").hidden).toBe(false);
    const [first, second] = find(".details ol").children;
    expect(first?.textContent).toContain("worded by m:1b, checked in full");
    expect(first?.querySelector("ul")?.textContent).toBe("✓ matches: fell: from 9 to 4");
    expect(first?.textContent).toContain("in place of: The loss fell.");
    expect(second?.textContent).toContain("a model's wording was dropped: it calls the end a plateau");
    expect(second?.querySelector("ul")).toBe(null);
    expect(find(".details > .who").textContent).toBe(
      "model m:1b · digest 0123456789ab · Ollama 0.9.6 · seed 7",
    );
  });

  it("stays unfolded, with the focus, when the caption is renewed; a click there selects nothing", () => {
    mount();
    model.receive(odd("log"));
    model.receive(encode({ sequence: 2, captions: [caption([sentence("One.")])] }));
    line().focus();
    line().click();
    model.receive(encode({ sequence: 3, captions: [caption([sentence("Two.")])] }));
    expect(find(".details").textContent).toContain("Two.");
    expect(find(".details").hidden).toBe(false);
    expect(shadow().activeElement).toBe(line());
    find(".details").click();
    expect(at()).toBe("1999");
  });

  it("stays unfolded where it is about the same, wherever it comes to stand", () => {
    const about = (id: string, heading: string, last: number) =>
      caption([sentence(heading)], { id, heading, span: [0, last] });
    const unfolded = () =>
      [...shadow().querySelectorAll("article.card")]
        .filter((card) => !card.querySelector<HTMLElement>(".details")?.hidden)
        .map((card) => card.querySelector("h3")?.textContent);
    mount();
    model.receive(odd("log"));
    model.receive(encode({ sequence: 2, captions: [about("c0", "Summary", 9), about("c1", "Descent", 9)] }));
    line().click();
    expect(unfolded()).toEqual(["Summary"]);
    // The run has gone on, and its captions are written anew: another one comes first.
    const anew = [about("c0", "Start", 3), about("c1", "Summary", 99), about("c2", "Descent", 40)];
    model.receive(encode({ sequence: 3, captions: anew }));
    expect(unfolded()).toEqual(["Summary"]);
  });

  it("leaves the English text one click away where the caption is in another language", () => {
    mount();
    model.receive(encode({ sequence: 1, captions: [caption([sentence("It fell.")])] }));
    expect(button("In English")).toBe(undefined);
    const foreign = sentence("Er fiel.", { source: "m:1b", built_in: "The loss fell.", checked: "in part" });
    model.receive(encode({ sequence: 2, captions: [caption([foreign, sentence("It ended.")])] }));
    expect(find(".english .text").hidden).toBe(true);
    button("In English").click();
    expect(find(".english .text").hidden).toBe(false);
    expect(find(".english .text").textContent).toBe("The loss fell. It ended.");
  });
});

describe("a span that is selected", () => {
  const caption = (id: string, span: Span): Caption => ({ ...CAPTION, id, heading: id, span });

  it("is explained on request, in the place of the chapters, and × gives these back", () => {
    mount();
    model.receive(odd("log"));
    model.receive(encode({ sequence: 2, captions: [caption("c0", [0, 1999])] }));
    expect(button("Explain these iterations").hidden).toBe(true);
    model.set("span", [100, 140]);
    button("Explain these iterations").click();
    expect(model.sent).toEqual([{ type: "explain", span: [100, 140] }]);
    expect(find(".answer .writing").textContent).toBe("explaining iterations 100–140…");
    const asked: Caption = {
      ...caption("c1", [100, 140]),
      role: "asked",
      parts: [{ text: "It fell.", kind: "text" }],
    };
    model.receive(encode({ sequence: 3, captions: [caption("c0", [0, 1999]), asked] }));
    const answer = find("article.answer");
    expect(answer.getAttribute("aria-label")).toBe(
      "What happened in iterations 100–140?, iterations 100–140",
    );
    expect(answer.textContent).toContain("It fell.");
    expect(at()).toBe("140");
    expect(shadow().querySelectorAll(".chapter")).toHaveLength(1);
    expect(find(".reading").classList.contains("asking")).toBe(true);
    find(".close").click();
    expect(find(".answer-box").hidden).toBe(true);
    expect(find(".reading").classList.contains("asking")).toBe(false);
  });

  it("is not offered to be explained where no kernel is", () => {
    const end = mountStatic(el, odd("names"));
    find("article.chapter").click();
    expect(button("Clear the selection").hidden).toBe(false);
    expect(button("Explain these iterations").hidden).toBe(true);
    end();
  });
});

describe("who writes", () => {
  it("is told in the head, and behind it the one command that gets a model", () => {
    mount();
    model.receive(odd("absent"));
    expect(find(".writer").textContent).toBe("built-in text · start Ollama for more");
    expect(find("#writer").hidden).toBe(true);
    find(".writer").click();
    expect(find("#writer").hidden).toBe(false);
    expect(find("#writer .command").textContent).toBe("ollama serve");
  });
});

describe("a model that is missing", () => {
  const bar = () => find("[role=progressbar]");
  const shown = (node: HTMLElement | undefined) => !!node && !node.closest("[hidden]");
  const open = (name: string) => {
    mount();
    model.receive(odd(name));
    find(".writer").click();
  };

  it("is offered with its size, and asked for only when the reader presses", () => {
    open("offered");
    expect(find(".writer").textContent).toBe("built-in text · get llama3.2 for more");
    expect(find(".pull").textContent).toContain("download it from the Ollama library over the internet");
    expect(shown(bar())).toBe(false);
    expect(model.sent).toEqual([]);
    const get = button("Get llama3.2 (about 2 GB)");
    get.click();
    get.click();
    expect(model.sent).toEqual([{ type: "pull", cancel: false }]);
    expect(get.textContent).toBe("Begins when the kernel is free…");
  });

  it("is followed by a bar and in the head, and can be cancelled; the focus is not lost on the way", () => {
    open("offered");
    button("Get llama3.2 (about 2 GB)").focus();
    button("Get llama3.2 (about 2 GB)").click();
    model.receive(odd("asking"));
    expect(shadow().activeElement).toBe(button("Cancel"));
    expect(find(".writer").textContent).toBe("getting llama3.2");
    expect(bar().hasAttribute("aria-valuenow")).toBe(false);
    model.receive(odd("pulling"));
    expect(find(".writer").textContent).toBe("getting llama3.2 · 30 %");
    const said = ["aria-label", "aria-valuenow", "aria-valuemax", "aria-valuetext"];
    expect(said.map((name) => bar().getAttribute(name))).toEqual([
      "download of llama3.2",
      "30",
      "100",
      "0.6 of 2.0 GB · 30 %",
    ]);
    expect(find<HTMLElement>(".fill").style.width).toBe("30%");
    button("Cancel").click();
    expect(model.sent).toEqual([
      { type: "pull", cancel: false },
      { type: "pull", cancel: true },
    ]);
    model.receive(odd("pulling"));
    expect(shown(button("Cancelling…"))).toBe(true);
    model.receive(odd("offered"));
    expect(shadow().activeElement).toBe(button("Get llama3.2 (about 2 GB)"));
    expect(shown(bar())).toBe(false);
  });

  it("that could not be had says why, and may be tried again", () => {
    open("unpulled");
    expect(find(".writer").textContent).toBe("built-in text · could not get llama3.2");
    expect(find(".problem").textContent).toContain("Check the internet connection");
    button("Get llama3.2 (about 2 GB)").click();
    expect(model.sent).toHaveLength(1);
  });

  it("that has come is offered no more, and the focus goes to the head", () => {
    open("pulling");
    button("Cancel").focus();
    model.receive(odd("absent"));
    expect(find(".pull").hidden).toBe(true);
    expect(shadow().activeElement).toBe(find(".writer"));
  });

  it("is not offered where no kernel is, nor in an exported page", () => {
    mount({ _has_kernel: false });
    model.receive(odd("pulling"));
    expect(find(".pull").hidden).toBe(true);
    expect(find(".writer").textContent).toContain("it has no model yet");
    controller.abort();
    const end = mountStatic(el, odd("offered"));
    expect(find(".pull").hidden).toBe(true);
    end();
  });
});

describe("stop", () => {
  const running = () => encode({ head: { title: "t", status: "running", notices: [] } as never });

  it("interrupts the kernel where the host allows it, and is there while the run goes on", () => {
    let interrupted = 0;
    const interrupt = () => Promise.resolve(interrupted++);
    model = new FakeModel();
    const withManager = Object.assign(model.asModel(), { widget_manager: { kernel: { interrupt } } });
    const widget = factory();
    widget.render({ model: withManager, signal: controller.signal, el } as never);
    model.receive(running());
    button("Stop").click();
    expect(interrupted).toBe(1);
    expect(find("#stop").textContent).toBe("The run is being stopped. What has been recorded is kept.");
    model.receive(odd("log"));
    expect(button("Stop").parentElement?.hidden).toBe(true);
  });

  it("stays however long an evaluation takes in which the kernel cannot answer", () => {
    vi.useFakeTimers();
    try {
      mount();
      model.receive(running());
      controller.abort();
      controller = new AbortController();
      mount({ _snapshot: new DataView(running().buffer) });
      vi.advanceTimersByTime(60_000);
      expect(button("Stop").parentElement?.hidden).toBe(false);
      model.receive(odd("log"));
      expect(button("Stop").parentElement?.hidden).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("says what to press where the host does not, or where that fails", async () => {
    mount();
    model.receive(running());
    button("Stop").click();
    expect(find("#stop").textContent).toContain("Press ■");
    controller.abort();
    controller = new AbortController();
    model = new FakeModel();
    const interrupt = () => Promise.reject(new Error("not here"));
    const withManager = Object.assign(model.asModel(), { widget_manager: { kernel: { interrupt } } });
    factory().render({ model: withManager, signal: controller.signal, el } as never);
    model.receive(running());
    button("Stop").click();
    await new Promise((resolve) => setTimeout(resolve));
    expect(find("#stop").textContent).toContain("Press ■");
  });

  it("of the model that writes asks the kernel", () => {
    mount();
    const head = {
      title: "t",
      status: "finished",
      notices: [],
      busy: true,
      writer: { text: "m", hint: "", command: "", pull: null },
    };
    model.receive(encode({ head: head as never }));
    button("stop writing").click();
    expect(model.sent).toEqual([{ type: "quiet" }]);
    model.receive(encode({ sequence: 2, head: { ...head, busy: false } as never }));
    expect(button("stop writing").hidden).toBe(true);
  });
});

describe("the plane of two parameters", () => {
  const plane = () => find("#plane");
  const chosen = () =>
    [...plane().querySelectorAll("select")].map((select) => select.selectedOptions[0]?.textContent);
  const rows = (moves: number[]) => ({
    iteration: Float64Array.of(0, 1),
    loss: Float64Array.of(2, 1),
    ...Object.fromEntries(moves.map((move, key) => [`p${key}`, Float64Array.of(0, move)])),
  });
  const head = (has_scene: boolean) => ({ title: "t", status: "finished", notices: [], has_scene }) as never;

  it("takes the place of the scene on request, with the two that moved most", () => {
    mount();
    model.receive(encode({ sequence: 1, head: head(true), series: [...SERIES] }, rows([1, 5, 0, 9])));
    expect([plane().hidden, find(".scene:not(.plane)").hidden]).toEqual([true, false]);
    button("Show the path in a plane").click();
    expect([plane().hidden, find(".scene:not(.plane)").hidden]).toEqual([false, true]);
    expect(chosen()).toEqual(["village-west · y", "marsh · y"]);
    const [across] = plane().querySelectorAll("select");
    if (across) across.value = "2";
    across?.dispatchEvent(new Event("change"));
    expect(chosen()).toEqual(["village-east · y", "marsh · y"]);
    expect(find(".path").getAttribute("aria-label")).toBe(
      "path in the plane of village-east · y and marsh · y, coloured by the loss",
    );
    button("Hide the plane").click();
    expect(plane().hidden).toBe(true);
  });

  it("is there at once for two parameters without a scene, and its keys move the cursor", () => {
    mount();
    model.receive(encode({ sequence: 1, head: head(false), series: SERIES.slice(0, 2) }, rows([1, 5])));
    expect(plane().hidden).toBe(false);
    find(".path").dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
    expect(at()).toBe("0");
  });

  it("needs two parameters of one run", () => {
    mount();
    model.receive(odd("compared"));
    expect(plane().hidden).toBe(true);
    model.receive(encode({ sequence: 9, series: SERIES.slice(0, 1) }));
    expect(button("Show the path in a plane").hidden).toBe(true);
  });
});

describe("several runs compared", () => {
  it("say where the cursor is, and one that has ended by then what it ended with", () => {
    mount();
    model.receive(odd("compared"));
    const values = () => [...shadow().querySelectorAll(".legend .value")].map((node) => node.textContent);
    model.set("iteration", 119);
    expect(values()[0]).toMatch(/^[\d.]+\sm \(ended\)$/);
    expect(values()[1]).toMatch(/^[\d.×⁻⁰-⁹]+\sm$/);
    model.set("iteration", 0);
    expect(values().join()).not.toContain("ended");
  });
});

describe("the word for an evaluation", () => {
  const named = (noun: "iteration" | "evaluation") => {
    mount();
    const head = { title: "t", status: "finished", notices: [], noun } as never;
    const captions = [
      { id: "c0", heading: "Summary", span: [0, 2], parts: [], cites: [], claims: [], sentences: [] },
    ] as never;
    const columns = { iteration: Float64Array.of(0, 1, 2), loss: Float64Array.of(5, 4, 3) };
    model.receive(encode({ sequence: 1, head, captions }, columns));
    button("Show as table").click();
    return [...shadow().querySelectorAll(".position, .card .span, th, .table caption, .zoom-bar button")]
      .map((node) => node.textContent)
      .join(" ");
  };

  it("is that of the run everywhere but in the slider's name", () => {
    const text = named("evaluation");
    expect(text).toContain("evaluation 2 of 2");
    expect(text).toContain("evaluations 0–2");
    expect(text).toContain("Evaluations 0 to 2 of 2");
    expect(text).not.toMatch(/iteration/i);
    expect(slider().getAttribute("aria-label")).toBe("iteration");
    expect(slider().getAttribute("aria-valuetext")).toMatch(/^evaluation 2/);
  });

  it("is iteration where each is one", () => {
    expect(named("iteration")).toContain("iterations 0–2");
  });
});

describe("odd runs", () => {
  it.each(Object.keys(ODD_RUNS))("%s stands", (name) => {
    mount();
    model.receive(odd(name));
    expect(find("[role=region]")).toBeTruthy();
  });

  it("an empty run says what it waits for, and why nothing came", () => {
    mount();
    expect(find(".empty").textContent).toBe("waiting for the first gradient…");
    model.receive(odd("empty"));
    expect(find(".empty").textContent).toContain("no differentiation with autograd");
    expect(slider().getAttribute("aria-disabled")).toBe("true");
    expect(find(".notices").textContent).toContain("no differentiation with autograd");
  });

  it("a loss that is not a number is called so", () => {
    mount();
    model.receive(odd("nan"));
    expect(slider().getAttribute("aria-valuetext")).toBe("39 of 39, not a number");
  });

  it("five hundred series are quick", () => {
    mount();
    const start = performance.now();
    model.receive(odd("many"));
    press("ArrowLeft");
    expect(performance.now() - start).toBeLessThan(2000);
    expect(shadow().querySelectorAll(".legend .entry")).toHaveLength(40);
  });
});

describe("reading", () => {
  const caption: Caption = { ...CAPTION, heading: "Middle", span: [10, 20], cites: ["F1", "e2"] };
  const event: RunEvent = {
    id: "e2",
    evaluation: 15,
    phase: "backward",
    text: "pulls",
    stage: "",
    count: 1,
    lane: true,
  };
  const fact: Fact = { id: "F1", kind: "course", text: "fell", span: [0, 9], cites: [] };
  const tab = () => find("[role=tab][aria-selected=true]").getAttribute("aria-label");
  const cite = (id: string) =>
    [...shadow().querySelectorAll<HTMLElement>(".cite")].find((node) => node.textContent === id);

  it("goes from a caption to its span, and marks it while the cursor is inside", async () => {
    mount();
    model.receive(odd("log"));
    model.receive(encode({ sequence: 2, captions: [caption] }));
    const card = find("article.card");
    expect(card.classList.contains("current")).toBe(false);
    card.click();
    expect(at()).toBe("10");
    expect(card.classList.contains("current")).toBe(true);
    find("article.chapter").click();
    expect(at()).toBe("20");
    expect(find<HTMLInputElement>(".ask input").placeholder).toContain("iterations 10–20");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(model.get("span")).toEqual([10, 20]);
  });

  it("opens what a caption cites", () => {
    mount();
    model.receive(odd("log"));
    model.receive(encode({ sequence: 2, facts: [fact], events: [event], captions: [caption] }));
    cite("e2")?.click();
    expect([tab(), at(), find(".event.cited").dataset.id]).toEqual(["Events", "15", "e2"]);
    cite("F1")?.click();
    expect([tab(), find(".fact.cited").dataset.id]).toEqual(["Facts", "F1"]);
  });

  it("walks the tabs with the arrow keys", () => {
    mount();
    find("[role=tablist]").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    expect(tab()).toBe("Facts");
    expect(shadow().querySelectorAll("[role=tabpanel]:not([hidden])")).toHaveLength(1);
  });

  it("isolates a series on click and restores it on the second", async () => {
    mount();
    model.receive(encode({ sequence: 1, series: [...SERIES] }));
    const [entry] = shadow().querySelectorAll<HTMLElement>(".legend .entry");
    entry?.click();
    expect(entry?.getAttribute("aria-pressed")).toBe("true");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(model.get("selected")).toEqual(["north[0]"]);
    entry?.click();
    expect(entry?.getAttribute("aria-pressed")).toBe("false");
  });

  it("asks the kernel and shows that it waits", () => {
    mount();
    const box = find<HTMLInputElement>(".ask input");
    box.value = "why?";
    find("form").dispatchEvent(new Event("submit", { cancelable: true }));
    expect(model.sent[0]).toMatchObject({ type: "ask", question: "why?", span: null });
    expect(find(".answer").textContent).toContain("asking…");
  });

  it("needs no kernel on an exported page", () => {
    const end = mountStatic(el, odd("log"));
    expect(at()).toBe("1999");
    expect(find<HTMLInputElement>(".ask input").disabled).toBe(true);
    end();
    expect(el.childElementCount).toBe(0);
  });

  it("folds the saved record while it stands, and unfolds it on a click", () => {
    mount();
    model.receive(odd("log"));
    const record = document.createElement("details");
    record.dataset.xinvRecord = "dev";
    record.append(document.createElement("summary"), document.createElement("p"));
    document.body.append(record);
    record.querySelector("summary")?.click();
    expect(record.hasAttribute("data-xinv-unfolded")).toBe(true);
    record.querySelector("summary")?.click();
    expect(record.hasAttribute("data-xinv-unfolded")).toBe(false);
    record.remove();
  });
});
