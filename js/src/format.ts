// Numbers as text, written as the captions write them (`xinv_nb/language/quantities.py`): three significant digits, whole ones
// in full below 100,000, a real minus sign, 1.2×10⁻⁵ for extremes. `tests/numbers.json` holds both languages to it.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const MINUS = "−";
const THIN_SPACE = "\u202f";
const LARGEST_IN_FULL = 1e5;
const DIGITS = 3;
export const MOST_DIGITS = 6;
/** Units that stand right at their number. */
const ANGLES = ["°", "′", "″"];
/** So many digits tell whether a number lies exactly between two shorter ones. */
const EXACT = 60;

export function formatNumber(value: number, digits = DIGITS): string {
  if (Number.isNaN(value)) return "not a number";
  if (value < 0) return MINUS + formatNumber(-value, digits);
  if (value === 0) return "0";
  if (value === Number.POSITIVE_INFINITY) return "infinity";
  const rounded = round(value, digits);
  if (rounded < 1e-4) return scientific(rounded);
  if (rounded < 10 ** digits) return String(rounded);
  return value < LARGEST_IN_FULL - 0.5 ? fixed(value, 0) : scientific(rounded);
}

/** A no-break space, as the two are one word. */
export function formatWithUnit(value: number, unit: string): string {
  return Number.isFinite(value) ? withUnit(formatNumber(value), unit) : formatNumber(value);
}

/** Two numbers with just enough digits to tell them apart, the unit on the second. */
export function formatPair(start: number, stop: number, unit = ""): [first: string, second: string] {
  let digits = DIGITS;
  while (
    start !== stop &&
    digits < MOST_DIGITS &&
    formatNumber(start, digits) === formatNumber(stop, digits)
  ) {
    digits++;
  }
  let [first, second] = [formatNumber(start, digits), formatNumber(stop, digits)];
  const decimals = Math.max(...[first, second].map((text) => text.split(".")[1]?.length ?? 0));
  if (digits > DIGITS && first !== second && decimals > 0 && !(first + second).includes("×")) {
    [first, second] = [fixed(start, decimals), fixed(stop, decimals)];
  }
  return [first, Number.isFinite(stop) ? withUnit(second, unit) : second];
}

/** An axis label: as many decimals as the distance between two labels needs. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= LARGEST_IN_FULL || magnitude < 1e-3) {
    // A power of ten alone needs no factor.
    return withMinus(scientific(Number(value.toPrecision(6))).replace(/^(-?)1×/, "$1"));
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return withMinus(value.toFixed(Math.min(decimals, 12)));
}

/** A count or an iteration number: 12 345. */
export function formatCount(value: number): string {
  const digits = String(Math.abs(Math.round(value)));
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return value < 0 ? MINUS + grouped : grouped;
}

function withUnit(text: string, unit: string): string {
  return unit ? `${text}${ANGLES.includes(unit) ? "" : "\u00a0"}${saidUnit(unit)}` : text;
}

/** A unit behind a number: one over something is told as so much for each of it. */
function saidUnit(unit: string): string {
  return unit.replace(/^1\/(?=\p{L})/u, "per\u00a0");
}

/** A positive number with so many significant digits; a tie goes to the even digit, as Python rounds. */
function round(value: number, digits: number): number {
  const [exact = "", exponent] = value.toExponential(EXACT).split("e");
  const kept = exact.replace(".", "").slice(0, digits);
  const isTie = /^50*$/.test(exact.replace(".", "").slice(digits));
  const isEven = Number(kept.at(-1)) % 2 === 0;
  if (isTie && isEven) return Number(`${kept}e${Number(exponent) - digits + 1}`);
  return Number(value.toExponential(digits - 1));
}

/** A number with so many decimals. */
function fixed(value: number, decimals: number): string {
  const size = Math.abs(value);
  const digits = Math.floor(Math.log10(size)) + 1 + decimals;
  const text = (digits > 0 ? round(size, digits) : size).toFixed(decimals);
  return value < 0 ? MINUS + text : text;
}

function scientific(value: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = String(Math.abs(Number(exponent))).replace(
    /\d/g,
    (digit) => SUPERSCRIPTS[Number(digit)] ?? "",
  );
  return `${mantissa}×10${exponent.startsWith("-") ? "⁻" : ""}${power}`;
}

function withMinus(text: string): string {
  return text.replace("-", MINUS);
}
