// The made-up run of the dev page: a railway from A to B around three places to be spared. Four control
// points move north and south; Adam minimizes length, detour and disturbance for 90 iterations.

export const ITERATIONS = 90;
export const NAMES = ["west-quarry", "village-west", "village-east", "marsh"] as const;

interface Place {
  name: string;
  x: number;
  y: number;
  radius: number;
  cost: number;
}

export const PLACES: readonly Place[] = [
  { name: "quarry", x: 3, y: 1.5, radius: 1.1, cost: 5 },
  { name: "village", x: 6, y: 3.2, radius: 1.5, cost: 9 },
  { name: "marsh", x: 9, y: 1.6, radius: 1.2, cost: 5 },
];
const A = { x: 0.6, y: 0.4 };
const B = { x: 11.4, y: 3.6 };
const CONTROL_X = [2.4, 4.6, 7, 9.4];
const SAMPLES = 120;
/** Pixels a kilometre in the scene. */
const SCALE = 86;

/** The route as a Bézier curve through its control polygon. */
export function route(controls: readonly number[]): { x: number; y: number }[] {
  const points = [A, ...controls.map((y, index) => ({ x: CONTROL_X[index] ?? 0, y })), B];
  return Array.from({ length: SAMPLES + 1 }, (_, sample) => {
    const t = sample / SAMPLES;
    let level = points;
    while (level.length > 1) {
      level = level.slice(1).map((point, index) => {
        const former = level[index] ?? point;
        return { x: former.x + t * (point.x - former.x), y: former.y + t * (point.y - former.y) };
      });
    }
    return level[0] ?? A;
  });
}

export function cost(controls: readonly number[]): number {
  const points = route(controls);
  let sum = 0;
  for (let index = 1; index < points.length; index++) {
    const p = points[index] ?? A;
    const q = points[index - 1] ?? A;
    const length = Math.hypot(p.x - q.x, p.y - q.y);
    sum += length;
    for (const place of PLACES) {
      const distance = Math.hypot(p.x - place.x, p.y - place.y);
      sum += length * place.cost * Math.exp(-((distance / place.radius) ** 2));
    }
  }
  return sum;
}

/** What the made-up simulator watches: the length of the line, and how much it disturbs along its way. */
function watch(controls: readonly number[]): Record<string, number> {
  const points = route(controls);
  let length = 0;
  const disturbance = points.map((p, index) => {
    const q = points[index - 1] ?? p;
    length += Math.hypot(p.x - q.x, p.y - q.y);
    return PLACES.reduce((sum, { x, y, radius, cost }) => {
      return sum + 10 * cost * Math.exp(-((Math.hypot(p.x - x, p.y - y) / radius) ** 2));
    }, 20);
  });
  const strongest = Math.max(...disturbance);
  return { w0: length, d0: 1, w1: Math.min(...disturbance), h1: strongest, d1: (strongest - 45) / 30 };
}

export interface RailRun {
  loss: Float64Array;
  /** [series][iteration] */
  values: Float64Array[];
  gradients: Float32Array[];
  /** Columns of the watched quantities, by key. */
  watched: Record<string, Float64Array>;
}

export function computeRun(): RailRun {
  const run: RailRun = {
    loss: new Float64Array(ITERATIONS),
    values: NAMES.map(() => new Float64Array(ITERATIONS)),
    gradients: NAMES.map(() => new Float32Array(ITERATIONS)),
    watched: Object.fromEntries(
      ["w0", "d0", "w1", "h1", "d1"].map((key) => [key, new Float64Array(ITERATIONS)]),
    ),
  };
  const y = [1.6, 2.4, 1.5, 1.4];
  const mean = [0, 0, 0, 0];
  const square = [0, 0, 0, 0];
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    run.loss[iteration] = cost(y);
    for (const [key, value] of Object.entries(watch(y)))
      (run.watched[key] as Float64Array)[iteration] = value;
    const gradient = y.map((value, index) => {
      const h = 1e-5;
      const moved = (delta: number) => cost(y.map((other, at) => (at === index ? value + delta : other)));
      return (moved(h) - moved(-h)) / (2 * h);
    });
    gradient.forEach((g, index) => {
      (run.values[index] as Float64Array)[iteration] = y[index] ?? 0;
      (run.gradients[index] as Float32Array)[iteration] = g;
      mean[index] = 0.9 * (mean[index] ?? 0) + 0.1 * g;
      square[index] = 0.999 * (square[index] ?? 0) + 0.001 * g * g;
      const m = (mean[index] ?? 0) / (1 - 0.9 ** (iteration + 1));
      const s = (square[index] ?? 0) / (1 - 0.999 ** (iteration + 1));
      y[index] = (y[index] ?? 0) - (0.06 * m) / (Math.sqrt(s) + 1e-8);
    });
  }
  return run;
}

/** The scene as a PNG on transparent ground, drawn for a light page, twice as sharp as it is shown. */
export async function drawScene(
  controls: readonly number[],
  first: readonly number[],
): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = document.createElement("canvas");
  canvas.width = 1360;
  canvas.height = 800;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  const at = ({ x, y }: { x: number; y: number }): [number, number] => [160 + x * SCALE, 600 - y * SCALE];
  context.font = "34px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const place of PLACES) {
    for (const share of [1, 0.55]) {
      context.fillStyle = "rgba(230, 159, 0, 0.16)";
      context.beginPath();
      context.arc(...at(place), place.radius * SCALE * share, 0, 2 * Math.PI);
      context.fill();
    }
    context.fillStyle = "#555";
    context.fillText(place.name, ...at(place));
  }
  const stroke = (points: { x: number; y: number }[]) => {
    context.beginPath();
    for (const point of points) context.lineTo(...at(point));
    context.stroke();
  };
  context.strokeStyle = "#777";
  context.lineWidth = 2.5;
  context.setLineDash([10, 8]);
  stroke(route(first));
  context.setLineDash([]);
  context.strokeStyle = "#1a1f2b";
  context.lineWidth = 6;
  stroke(route(controls));
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
  controls.forEach((y, index) => {
    context.fillStyle = colours[index] ?? "black";
    context.beginPath();
    context.arc(...at({ x: CONTROL_X[index] ?? 0, y }), 11, 0, 2 * Math.PI);
    context.fill();
  });
  context.fillStyle = "#1a1f2b";
  for (const [name, point] of [
    ["A", A],
    ["B", B],
  ] as const) {
    const [x, y] = at(point);
    context.fillRect(x - 13, y - 13, 26, 26);
    context.fillText(name, x, y - 34);
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("the scene could not be encoded");
  return new Uint8Array(await blob.arrayBuffer());
}
