// @ts-check
/** @file What was done to a trained model before and when it was stored, in a few words: the name of a variant. */

/** @import { RunSummary } from "./types.js" */
/** @import { Quantization } from "./variants.js" */

/** How a variant is called, with all that was done to it. @param {Pick<RunSummary, "scheme"|"recipe">} summary */
export function variantName({ scheme, recipe }) {
  const own = (/** @type {string} */ name) => recipe[`quantization.${name}`];
  const layers = Object.keys(recipe).filter((path) => path.startsWith("quantization.layers.")).length;
  const epochs = own("fine_tune_epochs");
  const pruning = own("pruning");
  return [
    scheme,
    own("rows") === "padded" && "padded",
    own("calibration"),
    own("calibration_rows") && `${own("calibration_rows")} rows`,
    own("activations"),
    layers > 0 && `${layers} ${layers === 1 ? "layer" : "layers"} apart`,
    pruning && pruning !== "off" && `${own("pruned_percent") ?? 50} % of ${pruning} pruned`,
    own("equalization") === "on" && "equalized",
    epochs && epochs !== "0" && `${epochs} ${String(epochs) === "1" ? "epoch" : "epochs"} fine-tuned`,
    own("bias_correction") === "on" && "biases corrected",
  ].filter(Boolean).join(" · ");
}

/** The same of a recipe's quantization. @param {Quantization} quantization */
export function quantizationWords({ scheme = "f32", layers = {}, ...rest }) {
  const own = Object.entries({ ...rest, ...Object.fromEntries(Object.entries(layers).map(([layer, its]) => [`layers.${layer}`, its])) });
  return variantName({ scheme, recipe: Object.fromEntries(own.map(([name, value]) => [`quantization.${name}`, String(value)])) });
}
