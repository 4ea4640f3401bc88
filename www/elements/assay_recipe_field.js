// @ts-check
/** @file One field of the recipe as a form control with label, unit, range and problem. It says `assay-help` when its help is wanted. */

import { html } from "lit";
import { app } from "../app.js";
import { rangeWords } from "../recipe_words.js";
import { AssayElement } from "./assay_element.js";

/** @import { Field } from "../types.js" */

export class AssayRecipeField extends AssayElement {
  static properties = { field: { attribute: false }, value: { attribute: false }, problem: { type: String }, changed: { type: Boolean }, heading: { type: String } };

  constructor() {
    super();
    /** @type {Field|null} */
    this.field = null;
    /** @type {unknown} */
    this.value = null;
    /** What is wrong, in words, or empty. */
    this.problem = "";
    /** Whether it differs from the open link. */
    this.changed = false;
    /** Heading of a section that has this field only. */
    this.heading = "";
  }

  render() {
    const { field } = this;
    if (!field) return "";
    const id = `field-${field.path.replace(".", "-")}`;
    const problem = this.problemWords(field);
    return html`<div class="recipe-field" @focusin=${this.showHelp} @pointerenter=${this.showHelp}>
      <label for=${id}>${this.label(field)}${this.changed ? html`<span class="changed" title="Differs from the link"> •<span class="visually-hidden"> differs from the link</span></span>` : ""}</label>
      ${field.kind.type === "object" ? this.object(id, problem) : field.kind.type === "choice" ? this.select(field, id, problem) : field.kind.type === "text" ? this.text(field, id, problem) : this.number(field, id, problem)}
      <span id=${`${id}-help`} class="visually-hidden">${field.help} ${rangeWords(field)}</span>
      ${problem ? html`<p id=${`${id}-problem`} class="problem small" data-tone="bad">${problem}</p>` : ""}
    </div>`;
  }

  /** @param {Field} field */
  label({ label, unit }) {
    const { heading } = this;
    const words = heading && heading !== label ? html`<strong>${heading}</strong><span class="visually-hidden"> ${label}</span>` : heading ? html`<strong>${label}</strong>` : label;
    return html`${words}${unit ? html` <span class="small unit">${unit}</span>` : ""}`;
  }

  /**
   * @param {Field} field
   * @param {string} id
   * @param {string} problem
   */
  select({ kind, path }, id, problem) {
    const value = String(this.value ?? "");
    const options = kind.options ?? [];
    return html`<select id=${id} name=${path} aria-describedby=${described(id, problem)} aria-invalid=${problem ? "true" : "false"} @change=${this.onSelect}>
      ${options.includes(value) ? "" : html`<option value=${value} selected>${value || "choose"}</option>`}
      ${options.map((option) => html`<option value=${option} ?selected=${option === value}>${option}</option>`)}
    </select>`;
  }

  /**
   * Too large for a control: it is edited with the whole recipe.
   * @param {string} id
   * @param {string} problem
   */
  object(id, problem) {
    return html`<button type="button" id=${id} class="small" aria-haspopup="dialog" aria-describedby=${described(id, problem)} @click=${() => app.store.update({ dialog: "recipe-json" })}>Edit as JSON</button>`;
  }

  /**
   * @param {Field} field
   * @param {string} id
   * @param {string} problem
   */
  number({ kind, path }, id, problem) {
    return html`<input id=${id} name=${path} type="number" inputmode=${kind.type === "integer" ? "numeric" : "decimal"} autocomplete="off" required
      min=${kind.min ?? 0} max=${kind.max ?? 0} step=${kind.type === "integer" ? (kind.step ?? 1) : "any"}
      aria-describedby=${described(id, problem)} aria-invalid=${problem ? "true" : "false"}
      @input=${this.onInput} @change=${this.onNumber}>`;
  }

  /**
   * @param {Field} field
   * @param {string} id
   * @param {string} problem
   */
  text({ kind, path }, id, problem) {
    return html`<input id=${id} name=${path} type="text" autocomplete="off" maxlength=${kind.max ?? 200} .value=${String(this.value ?? "")}
      aria-describedby=${described(id, problem)} aria-invalid=${problem ? "true" : "false"}
      @change=${(/** @type {Event} */ event) => this.set(/** @type {HTMLInputElement} */ (event.target).value)}>`;
  }

  updated() {
    const input = /** @type {HTMLInputElement|null} */ (this.querySelector("input[type=number]"));
    const select = this.querySelector("select");
    if (select) select.value = String(this.value ?? "");
    // What is being typed ("0.10") is left alone as long as it means the same.
    if (input && (input.value === "" || Number(input.value) !== this.value) && !(this.value === null && document.activeElement === input)) {
      input.value = this.value === null || this.value === undefined ? "" : String(this.value);
    }
  }

  /** An empty field is told what to enter instead of that it got null. @param {Field} field */
  problemWords(field) {
    if (!this.problem || this.value !== null) return sentence(this.problem);
    return `Enter a ${field.kind.type === "integer" ? "whole number" : "number"} from ${field.kind.min} to ${field.kind.max}.`;
  }

  /** @param {Event} event */
  onSelect(event) {
    this.set(/** @type {HTMLSelectElement} */ (event.target).value);
  }

  /** While typing, only what is valid counts, so that nobody is scolded halfway. @param {Event} event */
  onInput(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.validity.valid) this.set(input.valueAsNumber);
  }

  /** @param {Event} event */
  onNumber(event) {
    const { valueAsNumber } = /** @type {HTMLInputElement} */ (event.target);
    this.set(Number.isNaN(valueAsNumber) ? null : valueAsNumber);
  }

  /** @param {unknown} value */
  set(value) {
    if (this.field && !Object.is(value, this.value)) app.drafts.setField(this.field.path, value);
  }

  showHelp() {
    this.dispatchEvent(new CustomEvent("assay-help", { bubbles: true, detail: this.field }));
  }
}

/** @param {string} text From the module, which begins with a small letter and has no full stop. */
function sentence(text) {
  return text && `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/**
 * @param {string} id
 * @param {string} problem
 */
function described(id, problem) {
  return problem ? `${id}-problem ${id}-help` : `${id}-help`;
}

customElements.define("assay-recipe-field", AssayRecipeField);
