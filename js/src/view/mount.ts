// Puts the view into a host element: a shadow root of its own, the story and below it the details, the theme, one
// lifetime.
import { element, react, setAttributes } from "../dom";
import { Link } from "../link";
import { atEnd, on } from "../listen";
import { createPlots } from "../plot/plots";
import { foldSavedRecord } from "../record-fold";
import { State } from "../state";
import { Store } from "../store";
import { css } from "../styles";
import { watchTheme } from "../theme";
import { createCompare } from "./compare";
import { createDumbbells } from "./dumbbells";
import { createExport } from "./export";
import { createFitsCompared } from "./fits";
import { createDetailsFold, createReasonsFold } from "./folds";
import { createHead } from "./head";
import { onKeys } from "./keys";
import { createLegend } from "./legend";
import { createNotices } from "./notices";
import { createPanel } from "./panel";
import { createPlane } from "./plane";
import { createReading } from "./reading";
import { createReasons } from "./reasons";
import { createScene } from "./scene";
import { createStage } from "./stage";
import { createStop } from "./stop";
import { createTable } from "./table";
import { createTrack } from "./track";
import { createWords } from "./writer";
import { createZoomBar } from "./zoom-bar";

export interface Run {
  store: Store;
  state: State;
  link: Link;
}

export function mountView(el: HTMLElement, { store, state, link }: Run, signal: AbortSignal): void {
  if (signal.aborted) return;
  // Hosts see key presses as coming from this element, so the wish to be left alone must be on it as well.
  const host = element("div", { "data-lm-suppress-shortcuts": "true" });
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];

  const root = element("section", { class: "root", role: "region", "data-lm-suppress-shortcuts": "true" });
  const plots = createPlots(store, state, root, signal);
  const plane = createPlane(store, state, root, signal);
  const table = createTable(store, state, signal);
  const comparison = element("div");
  const compared = (bytes: Uint8Array) => openComparison(comparison, bytes, signal);
  const actions = [
    createStop(store, link, signal),
    createCompare(store, link, compared, signal),
    createFitsCompared(store, link, compared, signal),
    createExport(store, state, link, plots.picture, signal),
  ];
  const notices = createNotices(store, signal);
  const track = createTrack(store, state, root, signal);
  const scene = createScene(store, state, link, signal);
  const moved = createDumbbells(store, state, signal);
  const details = element(
    "div",
    { class: "details-fold", id: "details" },
    element(
      "div",
      { class: "body" },
      element(
        "div",
        { class: "left" },
        element("div", { class: "picture" }, plots.node, table.node),
        createLegend(store, state, [table.button, plane.button], signal),
      ),
      element("div", { class: "right" }, createPanel(store, state, signal)),
    ),
  );
  const reasons = element("div", { id: "reasons" }, createReasons(store, state, link, signal).node);
  root.append(
    createHead(store, state, link, notices, actions, signal),
    element(
      "div",
      { class: "story" },
      createStage([scene, plane.node, moved], store, state, signal),
      createReading(store, state, link, signal),
    ),
    track.node,
    element(
      "div",
      { class: "folds" },
      createReasonsFold(store, state, "reasons", signal),
      createDetailsFold(store, state, "details", signal),
      createZoomBar(store, state, link, signal),
      createWords(store, link, signal),
    ),
    reasons,
    details,
    notices.node,
  );
  onKeys([plots.node, track.slider, plane.stage], store, state, signal);

  react(signal, () => {
    details.hidden = !state.details.value;
    reasons.hidden = !state.reasons.value;
    root.classList.toggle("with-details", state.details.value);
  });
  react(signal, () => {
    const title = store.head.value.title || "optimization run";
    setAttributes(root, { "aria-label": title, "data-xinv-run": store.run.value });
  });
  react(signal, () => {
    root.classList.toggle("wide-scene", state.wideScene.value);
  });
  foldRecordOf(store, signal);
  shadow.append(element("div", { class: "container" }, root), comparison);
  el.append(host);
  atEnd(signal, () => host.remove());
  watchTheme(host, signal, (theme) => {
    root.dataset.theme = theme;
    plots.recolour();
    track.recolour();
    plane.recolour();
  });
}

/** Shows a comparison below the view of the run, in place of a former one. */
function openComparison(place: HTMLElement, packet: Uint8Array, signal: AbortSignal): void {
  const controller = new AbortController();
  const store = new Store();
  const link = new Link(store, () => {});
  const close = element("button", {}, "Close the comparison");
  const content = element("div");
  on(close, "click", () => {
    controller.abort();
    place.replaceChildren();
  });
  place.replaceChildren(element("p", { class: "comparison-head" }, close), content);
  link.receive(packet);
  mountView(content, { store, state: new State(store), link }, AbortSignal.any([signal, controller.signal]));
  place.scrollIntoView({ block: "nearest" });
}

function foldRecordOf(store: Store, signal: AbortSignal): void {
  let controller: AbortController | null = null;
  react(signal, () => {
    const run = store.run.value;
    controller?.abort();
    controller = new AbortController();
    foldSavedRecord(run, AbortSignal.any([signal, controller.signal]));
  });
}
