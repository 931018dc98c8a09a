// What the reader is looking at: cursor, selected span, tab, isolated series, playing. Local to the browser;
// model.ts mirrors the three that Python may observe (iteration, span, selected).
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { storyOf } from "./fits";
import type { Span } from "./protocol";
import type { Cell } from "./reasons-table";
import type { Store } from "./store";

export type Tab = "Explanation" | "Events" | "Facts";

/** The cursor's value that means "follow the newest iteration"; of a run that has ended, the end of what is told of. */
export const FOLLOW = -1;

export class State {
  /** An iteration, or FOLLOW. */
  readonly cursor = signal<number>(FOLLOW);
  readonly span = signal<Span | null>(null);
  /** Names of isolated series; empty = all are shown. */
  readonly selected = signal<readonly string[]>([]);
  /** The iterations that the plots show; null = all of them. */
  readonly view = signal<Span | null>(null);
  /** Columns (p3, w0, …) that the reader added to the plots or took away from them. */
  readonly toggled = signal<ReadonlySet<string>>(new Set());
  /** A span lit while the pointer or the focus is on a caption, fact or event. */
  readonly lit = signal<Span | null>(null);
  readonly tab = signal<Tab>("Explanation");
  /** The event or fact that was last cited by a click. */
  readonly cited = signal("");
  /** The cell of the reasons that was pressed last: what rests on it may light up. */
  readonly pressed = signal<Cell | null>(null);
  /** Cells of the reasons that something said elsewhere rests on. */
  readonly litCells = signal<readonly Cell[]>([]);
  /** What the reader has unfolded: details of captions, by their keys (view/caption.ts). */
  readonly unfolded = new Set<string>();
  /** The numbers are shown as a table in place of the plots. */
  readonly table = signal(false);
  /** Whether the reader wants the plane of two parameters; null until asked. */
  readonly plane = signal<boolean | null>(null);
  readonly hasPlane: ReadonlySignal<boolean>;
  /** Without a scene, two parameters are a picture by themselves. */
  readonly showsPlane: ReadonlySignal<boolean>;
  readonly wideScene = signal(false);
  /** What is unfolded below the story. */
  readonly details = signal(false);
  readonly reasons = signal(false);
  /** The number of the question whose answer is read, or the stretch that is explained. */
  readonly asked = signal<number | Span | null>(null);
  readonly playing = signal(false);
  /** The row under the cursor; −1 when nothing is recorded. */
  readonly row: ReadonlySignal<number>;
  /** Of the iterations in view, one in how many is here. */
  readonly thinned: ReadonlySignal<number>;
  /** The iteration under the cursor. */
  readonly iteration: ReadonlySignal<number>;

  #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.row = computed(() => {
      store.version.value;
      const { history } = store;
      if (this.cursor.value >= 0) return history.rowAt(this.cursor.value);
      return store.head.value.status === "running" ? history.rows - 1 : storyOf(store).to - 1;
    });
    this.hasPlane = computed(() => store.series.value.length > 1 && !store.head.value.compared);
    this.showsPlane = computed(() => {
      const atFirst = store.series.value.length === 2 && !store.head.value.has_scene;
      return this.hasPlane.value && (this.plane.value ?? atFirst);
    });
    this.thinned = computed(() => {
      const [view, detail] = [this.view.value, store.detail.value];
      const isDetailed = view && detail && detail.span[0] <= view[0] && detail.span[1] >= view[1];
      return isDetailed ? detail.thinned : store.head.value.thinned;
    });
    this.iteration = computed(() => {
      store.version.value;
      return this.row.value < 0 ? 0 : store.history.value("iteration", this.row.value);
    });
  }

  /** Moves the cursor to a row; the newest one of a running run means "follow". */
  moveToRow(row: number): void {
    const { history, head } = this.#store;
    if (history.rows === 0) return;
    const inside = Math.min(Math.max(row, 0), history.rows - 1);
    const newest = inside === history.rows - 1 && head.value.status === "running";
    this.cursor.value = newest ? FOLLOW : history.value("iteration", inside);
  }

  moveTo(iteration: number): void {
    this.moveToRow(this.#store.history.nearestRow(iteration));
  }

  /** Selects a span and stands at its beginning, or at its end. */
  select(span: Span, end = false): void {
    this.playing.value = false;
    this.moveTo(span[end ? 1 : 0]);
    this.span.value = span;
  }

  step(rows: number): void {
    this.moveToRow(this.row.value + rows);
  }

  /** Whether a column is drawn: as at first, unless the reader changed that. */
  isShown(column: string, atFirst: boolean | undefined): boolean {
    return (atFirst !== false) !== this.toggled.value.has(column);
  }

  toggle(column: string): void {
    const toggled = new Set(this.toggled.value);
    if (!toggled.delete(column)) toggled.add(column);
    this.toggled.value = toggled;
  }

  follow(): void {
    this.cursor.value = FOLLOW;
  }

  /** One name alone; the same name again shows all. With `add`, joins or leaves the isolated ones. */
  isolate(name: string, add = false): void {
    const now = this.selected.value;
    const without = now.filter((other) => other !== name);
    if (add) this.selected.value = without.length < now.length ? without : [...now, name];
    else this.selected.value = now.length === 1 && without.length === 0 ? [] : [name];
  }
}

export function covers(span: Span | null, iteration: number): boolean {
  return span !== null && iteration >= span[0] && iteration <= span[1];
}
