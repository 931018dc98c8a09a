// The widget on a fake model, as a host shows it.
import type { FakeModel } from "../dev/fake-model";
import factory from "../src/index";

export function show(model: FakeModel, el: HTMLElement, signal: AbortSignal): void {
  const widget = factory();
  const props = { model: model.asModel(), signal };
  widget.initialize(props as never);
  widget.render({ ...props, el } as never);
}
