// @ts-check
/** @file What `ASSAY_GPU` asks for: `require` an adapter, take one if there is one (`auto`, the default), or `off`. */

/** @returns {"require" | "auto" | "off"} */
export function gpuWish() {
  const wish = process.env.ASSAY_GPU || "auto";
  if (wish !== "require" && wish !== "auto" && wish !== "off") throw new Error(`ASSAY_GPU is require, auto or off, not "${wish}"`);
  return wish;
}
