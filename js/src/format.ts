// Numbers as text: at most four significant digits, a real minus sign, 1.2×10⁻⁵ for extremes.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const MINUS = "−";
const THIN_SPACE = "\u202f";

export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : "∞";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  const magnitude = Math.abs(rounded);
  if (magnitude >= 1e5 || magnitude < 1e-3) return scientific(rounded, digits);
  return withMinus(String(rounded));
}

export function formatWithUnit(value: number, unit: string): string {
  return unit && Number.isFinite(value) ? `${formatNumber(value)}\u00a0${unit}` : formatNumber(value);
}

/** An axis label: as many decimals as the distance between two labels needs. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e5 || magnitude < 1e-3) return scientific(Number(value.toPrecision(6)), 6);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return withMinus(value.toFixed(Math.min(decimals, 12)));
}

/** A count or an iteration number: 12 345. */
export function formatCount(value: number): string {
  const digits = String(Math.abs(Math.round(value)));
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return value < 0 ? MINUS + grouped : grouped;
}

function scientific(value: number, digits: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const rounded = String(Number(Number(mantissa).toPrecision(digits)));
  const power = String(Math.abs(Number(exponent))).replace(
    /\d/g,
    (digit) => SUPERSCRIPTS[Number(digit)] ?? "",
  );
  const factor = rounded === "1" ? "" : rounded === "-1" ? MINUS : `${withMinus(rounded)}×`;
  return `${factor}10${exponent.startsWith("-") ? "⁻" : ""}${power}`;
}

function withMinus(text: string): string {
  return text.replace("-", MINUS);
}
