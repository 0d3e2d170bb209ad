// The frame of every page: where one can go, how the sales stand, and the page itself.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Flow } from "./pages/flow";
import { Health } from "./pages/health";
import { Key } from "./pages/key";
import { NewSale } from "./pages/new_sale";
import { Payments } from "./pages/payments";
import { Reservation } from "./pages/reservation";
import { Sale } from "./pages/sale";
import { Sales } from "./pages/sales";
import { Simulator } from "./pages/simulator";
import { Empty } from "./parts/seen";
import { Strip } from "./parts/strip";
import { type Route, useRoute } from "./route";

const PLACES: [string, string][] = [["sales", "Sales"], ["payments", "Payments"], ["flow", "Flow"], ["simulator", "Simulator"], ["health", "Limits and health"]];

export function App() {
  const route = useRoute();
  const here = route.parts[0] === "new" ? "sales" : (route.parts[0] ?? "sales");
  const page = useRef<HTMLElement>(null);
  const path = route.parts.join("/");
  useEffect(() => {
    const heading = page.current?.querySelector("h1");
    document.title = `${heading?.textContent ?? "Console"} · Flash`;
    // A new page is read from its heading on; the first one from the top.
    if (document.activeElement !== document.body) heading?.focus();
  }, [path]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); page.current?.focus(); }}>To the page</a>
      <div class="top">
        <header>
          <a class="brand" href="#/sales"><img src="icon.svg" alt="" width="22" height="22" />Flash</a>
          <nav aria-label="Pages of the console">
            {PLACES.map(([name, label]) => (
              <a key={name} href={`#/${name}`} aria-current={name === here ? "page" : undefined}>{label}</a>
            ))}
          </nav>
          <a class="aside" href="#/key" aria-current={here === "key" ? "page" : undefined}>Key</a>
        </header>
        <aside aria-label="Audit"><Strip sale={route.parts[0] === "sales" ? route.parts[1] : undefined} /></aside>
      </div>
      <main id="main" ref={page} tabIndex={-1}>{pageOf(route)}</main>
      <footer>
        <a href="/docs">The API</a> <a href="licences.txt">Licences</a>
      </footer>
    </>
  );
}

function pageOf({ parts, query }: Route): ComponentChildren {
  const [name = "sales", sale, what, id] = parts;
  if (name === "new") return <NewSale />;
  if (name === "payments") return <Payments query={query} />;
  if (name === "flow") return <Flow query={query} />;
  if (name === "simulator") return <Simulator query={query} />;
  if (name === "health") return <Health />;
  if (name === "key") return <Key />;
  if (name === "sales" && sale === undefined) return <Sales query={query} />;
  if (name === "sales" && sale !== undefined && what === undefined) return <Sale key={sale} sale={sale} query={query} />;
  if (name === "sales" && sale !== undefined && what === "reservations" && id !== undefined) {
    return <Reservation key={`${sale}/${id}`} sale={sale} id={id} />;
  }
  return <><h1 tabIndex={-1}>Nothing is here</h1><Empty title="There is no such page."><p><a href="#/sales">To the sales</a></p></Empty></>;
}
