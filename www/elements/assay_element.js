// @ts-check
/** @file The base of every element: renders into the page itself, so that one stylesheet, labels and ids reach everywhere, and follows the store. */

import { LitElement } from "lit";
import { app } from "../app.js";

/** @import { State, StateKey } from "../store.js" */

/**
 * A subclass names in `follows` the parts of the state that it shows, and is rendered again when one of them changes.
 * Reactive properties are declared in `static properties` and set in the constructor (class fields would hide them).
 */
export class AssayElement extends LitElement {
  /** Parts of the state that this element shows. @type {StateKey[]} */
  static follows = [];

  createRenderRoot() {
    return this;
  }

  /** @returns {Readonly<State>} */
  get state() {
    return app.store.state;
  }

  connectedCallback() {
    super.connectedCallback();
    const { follows } = /** @type {typeof AssayElement} */ (this.constructor);
    if (follows.length > 0) this.unfollow = app.store.subscribe(follows, () => this.onState());
    this.requestUpdate();
  }

  /** Something that it follows has changed. */
  onState() {
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unfollow?.();
  }
}
