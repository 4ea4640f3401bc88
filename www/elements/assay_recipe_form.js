// @ts-check
/** @file The recipe as a form: one control per field, by section, with the problems at the fields and the digest below. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { shortDigest } from "../figures.js";
import { icon } from "../icons.js";
import { engineNote } from "../gpu_words.js";
import { recipeWords } from "../live_run.js";
import { OPEN_SECTIONS, rangeWords, sectionsOf, sectionWords, valueAt, valueOf } from "../recipe_words.js";
import { NARROW } from "../widths.js";
import { AssayElement } from "./assay_element.js";
import "./assay_recipe_field.js";
import "./assay_recipe_layers.js";

/** @import { Field, Problem, Recipe } from "../types.js" */
/** @import { Draft, StateKey } from "../store.js" */
/** @import { Section } from "../recipe_words.js" */

export class AssayRecipeForm extends AssayElement {
  static properties = { help: { state: true }, folded: { state: true } };

  /** @type {StateKey[]} */
  static follows = ["draft", "link", "surroundings"];

  constructor() {
    super();
    /** Whose help is shown. @type {Field|null} */
    this.help = null;
    this.folded = NARROW.matches;
    /** Sections that are unfolded. */
    this.open = new Set(["Architecture"]);
    /** The open link's recipe, parsed once. @type {{ text: string, recipe: Recipe }} */
    this.ofLink = { text: "", recipe: {} };
    this.onWidth = () => {
      this.folded = NARROW.matches;
    };
  }

  connectedCallback() {
    super.connectedCallback();
    NARROW.addEventListener("change", this.onWidth);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    NARROW.removeEventListener("change", this.onWidth);
  }

  render() {
    const { draft } = this.state;
    if (!draft) return "";
    const sections = sectionsOf(app.drafts.fields, draft.recipe);
    const placed = new Set(sections.flatMap(({ fields }) => fields.map(({ path }) => path)));
    return html`<details class="recipe-form panel" .open=${!this.folded} @toggle=${this.onFold} @assay-help=${this.onHelp}>
      <summary class="recipe-summary"><h2>Recipe</h2><span class="soft folded-only">${recipeWords(draft.recipe)}</span></summary>
      ${repeat(sections, ({ title }) => title, (section) => this.section(section, draft))}
      ${this.otherProblems(draft, placed)}
      <p class="recipe-help small soft" aria-hidden="true">${this.help ? html`${this.help.help} <span>${rangeWords(this.help)}</span>` : "Point at a field to read what it changes."}</p>
      <div class="recipe-foot">
        <span class="small">recipe ${draft.digest ? html`<span class="digest" title=${draft.digest}>${shortDigest(draft.digest)}</span>` : html`<span data-tone="bad">invalid</span>`}</span>
        <button type="button" class="quiet small" aria-haspopup="dialog" @click=${() => app.store.update({ dialog: "recipe-json" })}>Edit as JSON</button>
        <button type="button" class="quiet small" ?disabled=${draft.digest === app.drafts.defaultDigest} @click=${() => app.drafts.setDefault()}>Default</button>
      </div>
    </details>`;
  }

  /**
   * @param {Section} section
   * @param {Draft} draft
   */
  section({ title, fields }, draft) {
    const open = OPEN_SECTIONS.has(title) || fields.length === 1;
    const controls = fields.map((field, index) => this.control(field, draft, open && index === 0 ? title : ""));
    if (open) return html`<div class="section single">${controls}${title === "Execution" ? this.engineNote(draft) : ""}</div>`;
    const problems = fields.filter(({ path }) => problemAt(draft.problems, path));
    const dropped = title === "Quantization" ? draft.dropped ?? [] : [];
    const unfolded = this.open.has(title) || problems.length > 0 || dropped.length > 0;
    return html`<details class="section" .open=${unfolded} @toggle=${(/** @type {Event} */ event) => this.onToggle(event, title)}>
      <summary>
        <span class="section-title">${title}</span>
        ${problems.length > 0
          ? html`<span class="status small" data-tone="bad">${icon("failed")} ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}</span>`
          : html`<span class="soft small words">${sectionWords(title, draft.recipe)}</span>`}
      </summary>
      ${controls}
      ${title === "Quantization" ? html`<assay-recipe-layers .layers=${draft.recipe.quantization?.layers ?? {}} .dropped=${dropped}></assay-recipe-layers>` : ""}
    </details>`;
  }

  /**
   * @param {Field} field
   * @param {Draft} draft
   * @param {string} heading
   */
  control(field, { recipe, problems }, heading) {
    const { path } = field;
    const value = valueOf(field, recipe);
    return html`<assay-recipe-field .field=${field} .value=${value} .problem=${problemAt(problems, path)} .changed=${this.differsFromLink(field, value)} .heading=${heading}></assay-recipe-field>`;
  }

  /** Whether there is a GPU for the engine that is chosen. @param {Draft} draft */
  engineNote({ recipe }) {
    const { surroundings } = this.state;
    if (!surroundings) return "";
    const { tone, words, why } = engineNote(String(valueAt(recipe, "execution.engine") ?? "cpu"), surroundings);
    return html`<p class="engine-note small soft" role="status" data-tone=${tone}>
      ${words} ${why ? html`<button type="button" class="link" aria-haspopup="dialog" aria-label="Why there is no GPU, and what to try" @click=${() => app.store.update({ dialog: "help" })}>What to try</button>` : ""}
    </p>`;
  }

  /**
   * @param {Field} field
   * @param {unknown} value
   */
  differsFromLink(field, value) {
    const { link } = this.state;
    if (!link?.modified) return false;
    const { recipeText: text } = link.opened;
    if (this.ofLink.text !== text) this.ofLink = { text, recipe: JSON.parse(text) };
    return JSON.stringify(valueOf(field, this.ofLink.recipe)) !== JSON.stringify(value);
  }

  /**
   * Problems that belong to no control.
   * @param {Draft} draft
   * @param {Set<string>} placed
   */
  otherProblems({ problems, message }, placed) {
    const others = problems.filter(({ path }) => !placed.has(path));
    if (message === "" || (problems.length > 0 && others.length === 0)) return "";
    const lines = others.length > 0 ? others.map(({ path, message: words }) => (path ? `${path}: ${words}` : words)) : [message];
    return html`<div class="recipe-problems small" role="alert" data-tone="bad">${lines.map((line) => html`<p>${line}.</p>`)}</div>`;
  }

  /** @param {ToggleEvent} event */
  onFold(event) {
    const details = /** @type {HTMLDetailsElement} */ (event.target);
    if (details.classList.contains("recipe-form")) this.folded = !details.open;
  }

  /**
   * @param {Event} event
   * @param {string} title
   */
  onToggle(event, title) {
    if (/** @type {HTMLDetailsElement} */ (event.target).open) this.open.add(title);
    else this.open.delete(title);
  }

  /** @param {CustomEvent<Field>} event */
  onHelp(event) {
    this.help = event.detail;
  }
}

/**
 * @param {Problem[]} problems
 * @param {string} path
 */
function problemAt(problems, path) {
  return problems.find((problem) => problem.path === path)?.message ?? "";
}

customElements.define("assay-recipe-form", AssayRecipeForm);
