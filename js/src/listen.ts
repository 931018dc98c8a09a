// Listeners in few words: on an element, and for the end of a lifetime.

export function on<K extends keyof HTMLElementEventMap>(
  node: HTMLElement,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void,
  options?: AddEventListenerOptions,
): void {
  node.addEventListener(type, listener, options);
}

export function atEnd(signal: AbortSignal, action: () => void): void {
  signal.addEventListener("abort", action, { once: true });
}
