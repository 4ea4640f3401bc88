// @ts-check
/** @file What the browser tells of its GPU; bindgen ships it beside the module. It asks for an adapter and keeps none. */

/**
 * Vendor, architecture and whatever else is told of the fastest adapter; "" where the browser keeps it to itself.
 *
 * @returns {Promise<string>}
 */
export async function adapterName() {
  const adapter = await /** @type {any} */ (navigator).gpu.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  return [vendor, architecture, device, description].filter(Boolean).join(", ");
}
