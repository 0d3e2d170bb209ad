// Numbers and times, as people read them.

const COUNT = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const SPANS: [string, number][] = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]];

/** Unknown is not zero. */
export const count = (value: number | undefined): string => (value === undefined ? "–" : COUNT.format(value));

export const time = (at_ms: number | undefined): string => (at_ms === undefined ? "–" : TIME.format(at_ms));

/** The same, to the millisecond. */
export const moment = (at_ms: number): string => `${time(at_ms)}.${String(at_ms % 1_000).padStart(3, "0")}`;

export const clock = (at_ms: number): string => CLOCK.format(at_ms);

/** A length of time, in its two largest units. */
export function span(ms: number | undefined): string {
  if (ms === undefined) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const first = SPANS.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let rest = Math.floor(ms / 1_000) * 1_000;
  for (const [unit, size] of SPANS.slice(first, first + 2)) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.join(" ");
}

export const items = (items: { sku: string; quantity: number }[] | undefined): string =>
  (items ?? []).map(({ sku, quantity }) => `${quantity} × ${sku}`).join(", ") || "–";

/** A reservation's number, with which its id begins. */
export const number = (id: string): string => count(Number(id.split("-")[0]));

export const phrase = (word: string): string => word.replaceAll("_", " ");
