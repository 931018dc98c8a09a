// Facts by the question that they answer; docs/facts.md tells by which methods.

/** From the question to the kinds of facts that answer it, the domain first. */
export const FACT_GROUPS: readonly (readonly [question: string, kinds: readonly string[]])[] = [
  ["What became of the loss?", ["course", "best", "gap", "phase", "stretch", "largest drop", "largest rise"]],
  ["What happened in the simulation?", ["event", "trend", "coincidence", "watch"]],
  ["What moved, when, how far?", ["movement", "order", "turning", "swing", "path", "bound", "idle"]],
  [
    "What did the gradient ask, and was it obeyed?",
    ["asked", "pull", "crossing", "conflict", "balance", "vanishing", "exploding"],
  ],
  ["What earned the fall?", ["credit", "drop", "terms"]],
  ["How fast?", ["convergence", "gain", "trials", "steps", "steepest"]],
  ["Is the answer determined?", ["identifiability"]],
  ["Why did it end, and what next?", ["ending", "gradient", "minimum", "truth", "advice"]],
  ["What sets these runs apart?", ["difference"]],
];

export const OTHER = "What else?";

/** The facts of each question that has any, in their own order. */
export function groupFacts<T extends { kind: string }>(
  facts: readonly T[],
): [question: string, facts: T[]][] {
  const known = new Set(FACT_GROUPS.flatMap(([, kinds]) => kinds));
  const groups = FACT_GROUPS.map(([question, kinds]): [string, T[]] => [
    question,
    facts.filter(({ kind }) => kinds.includes(kind)),
  ]);
  groups.push([OTHER, facts.filter(({ kind }) => !known.has(kind))]);
  return groups.filter(([, members]) => members.length > 0);
}
