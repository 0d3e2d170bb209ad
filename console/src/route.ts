// Where the operator is: behind the `#`, so that every page has an address and the gateway serves one file.

import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** The parts between the slashes. */
  parts: string[];
  query: URLSearchParams;
}

export function read(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** The address of a place. */
export function to(parts: (string | number)[], query?: Record<string, string>): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== "");
  const search = new URLSearchParams(given).toString();
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${search && `?${search}`}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** Changes the address without a step in the history. */
export function rename(address: string): void {
  history.replaceState(null, "", address);
  window.dispatchEvent(new Event("hashchange"));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => read(location.hash));
  useEffect(() => {
    const moved = () => setRoute(read(location.hash));
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  return route;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
