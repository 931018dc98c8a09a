// The dev page: the real widget on a fake model and a fake kernel, without Jupyter.
// ?theme=dark, ?until=34 (stay live at that iteration), ?pause=60 (ms between iterations), ?width=700, ?case=… (several, one after the other)
import factory from "../src/index";
import { FakeKernel } from "./fake-kernel";
import { FakeModel } from "./fake-model";
import { ODD_RUNS } from "./odd-runs";

const query = new URLSearchParams(location.search);
const dark = query.get("theme") === "dark";
document.body.setAttribute("data-jp-theme-light", String(!dark));
document.body.style.background = dark ? "#111" : "#fff";

const el = document.createElement("div");
el.style.width = query.has("width") ? `${query.get("width")}px` : "auto";
document.body.append(el);

const model = new FakeModel();
const widget = factory();
const props = { model: model.asModel(), signal: new AbortController().signal };
widget.initialize(props as unknown as Parameters<typeof widget.initialize>[0]);
widget.render({ ...props, el } as unknown as Parameters<typeof widget.render>[0]);

const odd = (query.get("case") ?? "").split(",").flatMap((name) => ODD_RUNS[name] ?? []);
if (odd.length > 0) for (const packet of odd) model.receive(packet());
else await new FakeKernel(model).stream(Number(query.get("until") ?? 89), Number(query.get("pause") ?? 60));
document.body.dataset.ready = "true";
