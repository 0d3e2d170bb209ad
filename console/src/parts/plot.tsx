// A plot over time, in the page's colours.

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { clock } from "../words";

export interface Line {
  label: string;
  /** A colour's name in the style sheet, without its dashes. */
  colour: string;
}

interface Props {
  title: string;
  /** Seconds. */
  at_s: number[];
  lines: Line[];
  /** One row for each line; null: unknown; undefined: not measured, and the line continues over it. */
  values: (number | null | undefined)[][];
  /** Whether `at_s` counts from the start of something, and is no time of day. */
  isSpan?: boolean;
  unit?: string;
}

const HEIGHT_PX = 180;
/** Between two times on the axis. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
const STEP_PX_MIN = 80;

export function Plot({ title, at_s, lines, values, isSpan = false, unit = "" }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const shape = lines.map(({ label }) => label).join("|");
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    const made = new uPlot(options(at, lines, isSpan, unit), [at_s, ...values] as uPlot.AlignedData, at);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height: HEIGHT_PX }));
    resized.observe(at);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [theme, shape, isSpan, unit]);
  useEffect(() => plot.current?.setData([at_s, ...values] as uPlot.AlignedData), [at_s, values]);
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      {at_s.length < 2 && <p class="hint">It is drawn from the second look on.</p>}
      <div ref={box} aria-hidden="true" class={at_s.length < 2 ? "unseen" : ""} />
    </figure>
  );
}

function options(at: HTMLElement, lines: Line[], isSpan: boolean, unit: string): uPlot.Options {
  const colours = getComputedStyle(at);
  const colour = (name: string) => colours.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const times = { ...axis, incrs: STEPS_S, space: STEP_PX_MIN, values: (_: uPlot, at: number[]) => at.map((at_s) => clock(at_s * 1_000)) };
  const short = new Intl.NumberFormat("en", { notation: "compact" });
  return {
    width: at.clientWidth,
    height: HEIGHT_PX,
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: !isSpan }, y: { range: (_, __, max) => [0, Math.max(max * 1.05, 1)] } },
    axes: [isSpan ? axis : times, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => short.format(tick) + unit) }],
    series: [
      isSpan ? { label: "at", value: (_, at) => (at === null ? "–" : `${at} s`) } : { label: "at", value: (_, at) => (at === null ? "–" : clock(at * 1_000)) },
      ...lines.map(({ label, colour: name }) => ({
        label, stroke: colour(name), width: 2, points: { show: false }, value: (_: uPlot, value: number | null) => (value === null ? "–" : short.format(value) + unit),
      })),
    ],
  };
}

/** Changes with the colour scheme, and only then. */
function useTheme(): boolean {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [query]);
  return dark;
}
