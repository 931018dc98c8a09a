// The strokes that several parts of the figure are made of.

type Context = CanvasRenderingContext2D;

export function line(context: Context, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

export function cross(context: Context, x: number, y: number): void {
  line(context, x - 2.5, y - 2.5, x + 2.5, y + 2.5);
  line(context, x - 2.5, y + 2.5, x + 2.5, y - 2.5);
}

export function dot(context: Context, x: number, y: number, radius: number): void {
  const path = new Path2D();
  path.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill(path);
}
