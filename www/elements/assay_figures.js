// @ts-check
/** @file The charts of the run in progress, or of the run that is shown: drawn again only when they changed, at most four times a second. */

import { html } from "lit";
import { app } from "../app.js";
import { isGoing } from "../live_run.js";
import { throttled } from "../throttle.js";
import { AssayElement } from "./assay_element.js";
import "./assay_chart.js";

/** @import { Chart } from "../types.js" */
/** @import { State, StateKey } from "../store.js" */

const REDRAW_MILLIS = 250;
/** A window that is being resized is waited for. */
const REST_MILLIS = 120;
/** Widths are rounded down to this, so that a scroll bar does not redraw everything. */
const WIDTH_STEP = 16;
/** From this width on two charts stand side by side. */
const PAIR_WIDTH = 560;
const GAP = 16;
/** From this width on `chart::curves` puts accuracy beside loss. */
const CURVES_BESIDE = 520;
/** A confusion matrix gains nothing from being larger. */
const MAX_SQUARE = 400;
const ENGINES_HEIGHT = 280;
/** Of the panel, with its border. */
const PADDING = 34;

/** @typedef {{ name: string, label: string, key: string, empty: string, draw: () => Chart }} Wanted */

export class AssayFigures extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["run", "shown", "theme"];

  constructor() {
    super();
    /** That charts were last drawn for. */
    this.width = 0;
    /** What was drawn last, by name. @type {Map<string, { key: string, chart: Chart|null }>} */
    this.drawn = new Map();
    /** Whether this turn of the event loop drew one; the next waits for the next turn, so that the page is never held up for long. */
    this.drew = false;
    this.redraw = throttled(() => this.requestUpdate(), REDRAW_MILLIS);
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.resting = undefined;
    this.observer = new ResizeObserver(() => {
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.measured() !== this.width && this.redraw(), this.width === 0 ? 0 : REST_MILLIS);
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.observer.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  onState() {
    this.redraw();
  }

  /** Width that a chart may take now, 0 while this is not shown. */
  measured() {
    return Math.max(0, Math.floor((this.clientWidth - PADDING) / WIDTH_STEP) * WIDTH_STEP);
  }

  render() {
    // Nothing is drawn while the view is hidden; what was drawn stays.
    this.width = this.measured() || this.width;
    if (this.width === 0) return "";
    this.drew = false;
    const { curves, latency, confusion, engines } = this.wanted(this.state);
    if (!curves && !latency && !confusion && !engines) return "";
    return html`<div class="figures panel">
      ${this.chart(curves)}
      ${latency || confusion ? html`<div class="figure-pair" data-single=${this.width < PAIR_WIDTH || !latency || !confusion}>${this.chart(latency)} ${this.chart(confusion)}</div>` : ""}
      ${this.chart(engines)}
    </div>`;
  }

  /**
   * @param {Readonly<State>} state
   * @returns {{ curves?: Wanted, latency?: Wanted, confusion?: Wanted, engines?: Wanted }}
   */
  wanted({ run, shown, theme }) {
    const { width } = this;
    const paired = width >= PAIR_WIDTH;
    const square = paired ? Math.min(Math.floor((width - GAP) / 2), MAX_SQUARE) : Math.min(width, MAX_SQUARE);
    // The chart puts loss above accuracy where there is no room beside it.
    const curvesHeight = width < CURVES_BESIDE ? 400 : 240;
    const beside = paired && shown?.record.results.confusion && !isGoing(run) ? width - GAP - square : width;
    const look = `${theme} ${width}`;
    const { wasm } = app;
    if (run && (isGoing(run) || (run.recordDigest === null && run.curve.length > 0))) {
      const last = run.samples.at(-1);
      return {
        curves: {
          name: "curves",
          label: "Loss and accuracy",
          key: `${run.runId} ${run.curve.length} ${look}`,
          empty: run.curve.length === 0 ? "The first point comes when epoch 1 ends." : "",
          draw: () => wasm.chartCurves([{ label: "this run", curve: run.curve }], theme, width, curvesHeight),
        },
        latency: last && {
          name: "latency",
          label: "Latency, every sample",
          key: `${run.runId} ${last.batch} ${last.millis.length} ${look}`,
          empty: "",
          draw: () => wasm.chartLatency({ batch: last.batch, samples: last.millis }, theme, beside, 180),
        },
      };
    }
    if (!shown) return {};
    const { digest, text, record } = shown;
    const { training, latency, throughput, confusion, breakdown } = record.results;
    const curve = training?.curve ?? [];
    return {
      curves: curve.length > 0 ? { name: "curves", label: "Loss and accuracy", key: `${digest} ${look}`, empty: "", draw: () => wasm.chartCurves([text], theme, width, curvesHeight) } : undefined,
      latency: latency || throughput ? { name: "latency", label: "Latency, every sample", key: `${digest} ${look}`, empty: "", draw: () => wasm.chartLatency(text, theme, beside, latency && throughput ? 320 : 180) } : undefined,
      confusion: confusion && { name: "confusion", label: "Confusion on the test rows", key: `${digest} ${look}`, empty: "", draw: () => wasm.chartConfusion(text, theme, square, square) },
      engines: breakdown && { name: "engines", label: "Time per row on both engines", key: `${digest} ${look}`, empty: "", draw: () => wasm.chartEngines(text, theme, width, ENGINES_HEIGHT) },
    };
  }

  /** @param {Wanted|undefined} wanted */
  chart(wanted) {
    if (!wanted) return "";
    const { name, label, key, empty } = wanted;
    if (empty) return html`<p class="empty figure-empty">${empty}</p>`;
    if (this.drawn.get(name)?.key !== key) {
      if (this.drew) {
        setTimeout(() => this.requestUpdate());
      } else {
        this.drew = true;
        this.drawn.set(name, { key, chart: drawnOrNull(wanted) });
      }
    }
    const chart = this.drawn.get(name)?.chart;
    if (chart === undefined) return "";
    if (!chart) return html`<p class="soft">This chart could not be drawn; the numbers are in the record.</p>`;
    return html`<div class="figure" data-figure=${name}><assay-chart .chart=${chart} name=${name} label=${label}></assay-chart></div>`;
  }
}

/** @param {Wanted} wanted */
function drawnOrNull(wanted) {
  try {
    return wanted.draw();
  } catch (error) {
    console.error(error);
    return null;
  }
}

customElements.define("assay-figures", AssayFigures);
