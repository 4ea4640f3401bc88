// @ts-check
/** @file A pad to draw on, and the small picture that the model sees, which can also be set pixel by pixel with the keyboard. */

import { html } from "lit";
import { pictureFromStrokes } from "../drawing.js";
import { AssayElement } from "./assay_element.js";

/** @import { PropertyValues } from "lit" */
/** @import { Point } from "../drawing.js" */

/** Side of the pad's bitmap, pixels; the stylesheet scales it. */
const PAD = 448;
/** Pen on the pad, as a share of its side. */
const PEN = 0.09;

/** Event: `picture` (a CustomEvent that does not bubble; detail `height × width` numbers from 0 to 1, or null when nothing is drawn). */
export class AssayDrawingPad extends AssayElement {
  static properties = { width: { type: Number }, height: { type: Number }, picture: { state: true }, at: { state: true } };

  constructor() {
    super();
    /** Of the model's picture, pixels. */
    this.width = 8;
    this.height = 8;
    /** @type {Point[][]} */
    this.strokes = [];
    /** @type {number[]} */
    this.picture = [];
    /** Pixel that the keyboard is on. */
    this.at = 0;
    this.drawing = false;
    this.waiting = 0;
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    if (changed.has("width") || changed.has("height")) this.picture = new Array(this.width * this.height).fill(0);
  }

  updated() {
    this.querySelectorAll(".pixels button").forEach((button, index) => {
      /** @type {HTMLElement} */ (button).style.setProperty("--pixel", String(this.picture[index] ?? 0));
    });
    this.paint();
  }

  render() {
    const { width, height, picture } = this;
    const inked = picture.some((value) => value > 0);
    return html`<div class="drawing-pad">
      <div class="pad-side">
        <canvas
          class="pad"
          width=${PAD}
          height=${PAD}
          aria-hidden="true"
          @pointerdown=${this.onDown}
          @pointermove=${this.onMove}
          @pointerup=${this.onUp}
          @pointercancel=${this.onUp}
        ></canvas>
        <div class="row">
          <button type="button" ?disabled=${!inked} @click=${this.clear}>Clear</button>
          <button type="button" ?disabled=${this.strokes.length === 0} @click=${this.undo}>Undo stroke</button>
        </div>
      </div>
      <div class="pad-side">
        <div class="pixels" role="grid" aria-label=${`What the model sees, ${width} by ${height} pixels. Arrow keys move, Space sets or clears a pixel.`} @keydown=${this.onKey}>
          ${Array.from(
            { length: height },
            (_, y) => html`<div role="row">
              ${Array.from({ length: width }, (_, x) => {
                const index = y * width + x;
                const value = picture[index] ?? 0;
                return html`<span role="gridcell"
                  ><button
                    type="button"
                    tabindex=${index === this.at ? 0 : -1}
                    aria-pressed=${value > 0}
                    aria-label=${`row ${y + 1}, column ${x + 1}: ${Math.round(value * 100)} % ink`}
                    @focus=${() => (this.at = index)}
                    @click=${() => this.flip(index)}
                  ></button
                ></span>`;
              })}
            </div>`,
          )}
        </div>
        <p class="small soft">What the model sees. Pixels can be set here too: arrow keys and Space.</p>
      </div>
    </div>`;
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.button !== 0) return;
    const canvas = /** @type {HTMLCanvasElement} */ (event.target);
    canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.strokes = [...this.strokes, [this.pointFrom(event)]];
    this.redraw();
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.drawing) return;
    const stroke = this.strokes.at(-1);
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) stroke?.push(this.pointFrom(each));
    this.redraw();
  }

  onUp() {
    this.drawing = false;
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  pointFrom({ clientX, clientY }) {
    const box = this.querySelector(".pad")?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  }

  /** Once a frame, however many points come. */
  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.picture = pictureFromStrokes(this.strokes, this.width, this.height);
      this.tell();
    });
  }

  paint() {
    const canvas = /** @type {HTMLCanvasElement|null} */ (this.querySelector(".pad"));
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    context.clearRect(0, 0, PAD, PAD);
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    context.lineWidth = PEN * PAD;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.beginPath();
      stroke.forEach(({ x, y }) => context.lineTo(x * PAD, y * PAD));
      const [first] = stroke;
      if (stroke.length === 1 && first) context.lineTo(first.x * PAD, first.y * PAD);
      context.stroke();
    }
  }

  clear() {
    this.strokes = [];
    this.picture = new Array(this.width * this.height).fill(0);
    this.tell();
  }

  undo() {
    this.strokes = this.strokes.slice(0, -1);
    this.picture = pictureFromStrokes(this.strokes, this.width, this.height);
    this.tell();
  }

  /** A pixel set by hand ends the strokes: they no longer say what the picture is. @param {number} index */
  flip(index) {
    this.strokes = [];
    this.picture = this.picture.map((value, other) => (other === index ? (value > 0 ? 0 : 1) : value));
    this.tell();
  }

  tell() {
    this.dispatchEvent(new CustomEvent("picture", { detail: this.picture.some((value) => value > 0) ? this.picture : null }));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { width, height } = this;
    const [x, y] = [this.at % width, Math.floor(this.at / width)];
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowRight: [x + 1, y], ArrowLeft: [x - 1, y], ArrowDown: [x, y + 1], ArrowUp: [x, y - 1], Home: [0, y], End: [width - 1, y] };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    const [column, row] = [Math.min(width - 1, Math.max(0, to[0])), Math.min(height - 1, Math.max(0, to[1]))];
    this.at = row * width + column;
    /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".pixels button"))[this.at]?.focus();
  }
}

customElements.define("assay-drawing-pad", AssayDrawingPad);
