import { useState } from "preact/hooks";

import { fault, health, simulate, simulation, stopSimulation } from "../api/routes";
import type { Settings } from "../api/types";
import { useAct } from "../api/use_act";
import { useLook } from "../api/use_look";
import { useOffers } from "../api/use_offers";
import { Field, Do, Refused } from "../parts/form";
import { Empty, Seen } from "../parts/seen";
import { go, to } from "../route";
import { Results, command } from "./simulation";

const EVERY_MS = 500;
/** The largest seed that every number of JavaScript tells from its neighbours. */
const SEEDS = 2 ** 32;

/** As `flash sim` names them, with what each does. */
const STRATEGIES: [string, string][] = [
  ["naive", "reads the stock, then writes it: it oversells"],
  ["optimistic", "a version, and three tries more"],
  ["atomic-decrement", "one UPDATE that looks and takes"],
  ["skip-locked", "a row for each unit"],
  ["redis-lock", "a lock in Redis around PostgreSQL"],
  ["redis-decr", "DECR, taken back where it went wrong"],
  ["lua", "a script in Redis, then PostgreSQL"],
  ["flash", "FLASH.RESERVE"],
];
const NUMBERS: [Exclude<keyof Settings, "strategies">, string, string, number][] = [
  ["buyers", "Buyers", "who want one unit each", 2_000],
  ["units", "Units", "that there are", 100],
  ["concurrency", "At once", "requests under way", 32],
  ["rate", "Rate", "requests a second", 1_000],
  ["seed", "Seed", "who comes when", 0],
];

function read(query: URLSearchParams): Settings {
  const chosen = query.get("strategies")?.split(",") ?? ["naive", "flash"];
  const settings: Settings = { strategies: chosen.filter(known), buyers: 0, units: 0, concurrency: 0, rate: 0, seed: 0 };
  for (const [name, , , usual] of NUMBERS) settings[name] = number(query.get(name)) ?? usual;
  return settings;
}

const known = (strategy: string) => STRATEGIES.some(([name]) => name === strategy);

function number(text: string | null): number | undefined {
  return text !== null && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function address(settings: Settings, id = ""): string {
  const numbers = NUMBERS.map(([name]) => [name, String(settings[name])]);
  return to(["simulator"], { strategies: settings.strategies.join(","), ...Object.fromEntries(numbers), id });
}

/** A stampede against several ways to sell. The server makes the load: a browser could not. */
export function Simulator({ query }: { query: URLSearchParams }) {
  const id = query.get("id") ?? "";
  const given = address(read(query));
  const offers = useOffers();
  const runs = offers?.("post", "/v1/simulations") ?? true;
  return (
    <>
      <h1 tabIndex={-1}>Simulator</h1>
      <p>The same buyers come at the same times to each way to sell; “naive” is there to be seen overselling.</p>
      <Choice key={given} given={read(query)} runs={runs} />
      {id !== "" && <Run key={id} id={id} />}
      {id === "" && runs && <Empty title="Nothing runs yet."><p>Once it does, the page's address has the seed: open it to run the same again.</p></Empty>}
      <Faults />
    </>
  );
}

function Choice({ given, runs }: { given: Settings; runs: boolean }) {
  const [settings, setSettings] = useState<Settings>(() => (given.seed === 0 ? { ...given, seed: newSeed() } : given));
  const act = useAct(() => simulate(settings), ({ id }) => go(address(settings, id)));
  const toggle = (name: string) => {
    const chosen = new Set(settings.strategies);
    if (!chosen.delete(name)) chosen.add(name);
    setSettings({ ...settings, strategies: STRATEGIES.map(([of]) => of).filter((of) => chosen.has(of)) });
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void act.run();
  };
  return (
    <form class="card" onSubmit={submit}>
      <fieldset class="choices">
        <legend>Ways to sell</legend>
        {STRATEGIES.map(([name, does]) => (
          <label key={name}>
            <input type="checkbox" checked={settings.strategies.includes(name)} onChange={() => toggle(name)} />
            <span><strong>{name}</strong> <span class="hint">{does}</span></span>
          </label>
        ))}
      </fieldset>
      <div class="row numbers">
        {NUMBERS.map(([name, label, hint]) => (
          <Field key={name} name={name} label={label} hint={hint} failure={act.failure}>
            {(attributes) => (
              <input {...attributes} type="number" min={1} max={name === "seed" ? SEEDS - 1 : undefined} required value={settings[name]}
                onInput={(event) => setSettings({ ...settings, [name]: Number(event.currentTarget.value) })} />
            )}
          </Field>
        ))}
      </div>
      <Refused failure={act.failure} shown={NUMBERS.map(([name]) => name)} />
      <p class="row">
        {runs && <button type="submit" class="main" disabled={act.busy || settings.strategies.length === 0} aria-busy={act.busy}>Run</button>}
        <button type="button" onClick={() => setSettings({ ...settings, seed: newSeed() })}>Another seed</button>
      </p>
      {!runs && <p>This gateway does not simulate. The program does:</p>}
      {!runs && <pre tabIndex={0}>{command(settings)}</pre>}
    </form>
  );
}

function newSeed(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) || 1;
}

function Run({ id }: { id: string }) {
  const [isOver, setIsOver] = useState(false);
  const look = useLook(async (signal) => {
    const seen = await simulation(id, signal);
    setIsOver(!seen.running);
    return seen;
  }, [id], isOver ? 0 : EVERY_MS);
  const stop = useAct(() => stopSimulation(id), look.again);
  return (
    <>
      {!isOver && look.value && <p class="row"><Do act={stop}>Stop it</Do></p>}
      <Refused failure={stop.failure} />
      <Seen look={look} what="this simulation">{(value) => <Results simulation={value} />}</Seen>
    </>
  );
}

/** Where the gateway is one for development: whatever is pressed, the strip stays green. */
function Faults() {
  const { value } = useLook(health, []);
  const [said, setSaid] = useState("");
  if (value === undefined || value.faults.length === 0) return null;
  return (
    <section aria-labelledby="faults">
      <h2 id="faults">Faults</h2>
      <p>Make one while it runs. The strip above must stay whole.</p>
      <div class="row">{value.faults.map((name) => <Fault key={name} name={name} said={setSaid} />)}</div>
      <p role="status">{said}</p>
    </section>
  );
}

const words = (name: string) => name.replaceAll("-", " ");

function Fault({ name, said }: { name: string; said: (text: string) => void }) {
  const act = useAct(() => fault(name), () => said(`Done: ${words(name)}.`));
  return <><Do act={act} kind="danger">{words(name)}</Do><Refused failure={act.failure} /></>;
}
