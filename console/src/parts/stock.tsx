// A sale's units: total = available + held + confirmed.

import type { Phase, State, Units, Verdict } from "../api/types";
import { count, phrase } from "../words";

/** One bar of the three parts. Its words stand beside it: colour says nothing alone. */
export function Bar({ units, label }: { units: Units; label: string }) {
  const { total, available, held, confirmed } = units;
  const parts: [string, number][] = [["confirmed", confirmed], ["held", held], ["available", available]];
  const told = parts.map(([name, value]) => `${count(value)} ${name}`).join(", ");
  return (
    <div class="bar" role="img" aria-label={`${label}: of ${count(total)} units ${told}`}>
      {parts.map(([name, value]) => value > 0 && <span key={name} class={name} style={{ flexGrow: value }} />)}
    </div>
  );
}

export function Equation({ units }: { units: Units }) {
  const holds = units.total === units.available + units.held + units.confirmed;
  const part = (name: keyof Units) => (
    <div class={`part ${name}`}><dt>{name}</dt><dd>{count(units[name])}</dd></div>
  );
  return (
    <dl class="equation">
      {part("total")}<span aria-hidden="true">{holds ? "=" : "≠"}</span>
      {part("available")}<span aria-hidden="true">+</span>
      {part("held")}<span aria-hidden="true">+</span>
      {part("confirmed")}
    </dl>
  );
}

export function Badge({ of }: { of: Phase | State | Verdict | "ok" | "warn" | "fail" | "away" | "live" | "reconnecting" | "connecting" | "over" }) {
  return <span class={`badge is-${of}`}>{phrase(of)}</span>;
}
