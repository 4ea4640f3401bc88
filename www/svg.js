// @ts-check
/** @file From the text of a chart to an element of the page and to a file; lets through drawing only: no scripts, links or styles. */

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title", "desc", "defs", "clippath"]);

/**
 * @param {string} text of an SVG document
 * @returns {SVGSVGElement|null} for this document; null where the text is not an SVG
 */
export function svgElement(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg" || parsed.querySelector("parsererror")) return null;
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (!ELEMENTS.has(element.localName.toLowerCase())) {
      element.remove();
      continue;
    }
    for (const { name } of [...element.attributes]) {
      if (/^on|^style$|href$/iu.test(name)) element.removeAttribute(name);
    }
  }
  const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.importNode(root, true)));
  const { width, height } = sizeOf(svg);
  if (!svg.hasAttribute("viewBox")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return svg;
}

/**
 * @param {SVGSVGElement} svg
 * @returns {{ width: number, height: number }} CSS pixels; the units inside may be finer
 */
export function sizeOf(svg) {
  const [, , width, height] = (svg.getAttribute("viewBox") ?? "0 0 600 300").split(/[\s,]+/u).map(Number);
  return {
    width: Number.parseFloat(svg.getAttribute("width") ?? "") || width || 600,
    height: Number.parseFloat(svg.getAttribute("height") ?? "") || height || 300,
  };
}

/**
 * @param {SVGSVGElement} svg
 * @param {string} background colour
 * @returns {string} text of a file that looks the same by itself
 */
export function svgFile(svg, background) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const size = sizeOf(svg);
  const { x, y, width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(size.width));
  copy.setAttribute("height", String(size.height));
  copy.removeAttribute("aria-describedby");
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, fill: background })) paper.setAttribute(name, String(value));
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}
