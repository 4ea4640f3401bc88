// @ts-check
/** @file What the page says of engines, in words: what a recipe asks for, what a run is on, what happened to the GPU, whether its figures count. Pure. */

/** @import { Recipe, RunRecord, RunSummary } from "./types.js" */
/** @import { GpuLoss, LiveRun } from "./store.js" */
/** @import { Surroundings } from "./surroundings.js" */

/** What an agreement that failed is called everywhere. */
export const DISAGREES = "engine disagrees";

/** @param {string} clause Without a full stop. @returns {string} */
export function sentence(clause) {
  if (clause === "") return "";
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}${/[.!?]$/u.test(clause) ? "" : "."}`;
}

/** @param {Recipe} recipe @returns {"cpu"|"gpu"|"auto"} What it asks for. */
export function engineAsked(recipe) {
  return recipe.execution?.engine ?? "cpu";
}

/**
 * What stands beside the choice of an engine: whether there is a GPU, and what that means for the choice.
 * @param {string} engine Of the recipe.
 * @param {Surroundings} surroundings
 * @returns {{ tone: ""|"warn", words: string, why: boolean }} `why` where help says more.
 */
export function engineNote(engine, { adapter, adapterSlow, adapterMissing }) {
  if (!adapter) {
    const asking = adapterMissing === "asking";
    if (engine === "cpu") return { tone: "", words: asking ? "Exact. Asking for a GPU …" : `Exact. No GPU here: ${adapterMissing}.`, why: !asking };
    return asking ? { tone: "", words: "Asking for a GPU …", why: false } : { tone: "warn", words: `No GPU here: ${adapterMissing}. The CPU will do it.`, why: true };
  }
  const name = adapterSlow ? `${adapter}, software and far slower than the CPU` : adapter;
  const tone = adapterSlow && engine !== "cpu" ? "warn" : "";
  if (engine === "gpu") return { tone, words: `On ${name}; checked against the CPU.`, why: false };
  if (engine === "auto") return { tone, words: `Times the CPU and the GPU (${name}) and takes the faster.`, why: false };
  return { tone, words: `Exact. There is a GPU: ${name}.`, why: false };
}

/** @param {string} engine `cpu`, `gpu` or `mixed`, as people read it. */
export function engineName(engine) {
  return { cpu: "CPU", gpu: "GPU", mixed: "mixed" }[engine] ?? engine;
}

/**
 * What a run that goes on is executed on.
 * @param {NonNullable<LiveRun["engine"]>} on
 * @returns {{ engine: string, rest: string, reason: string }}
 */
export function liveEngineWords({ engine, adapter, batchSize, reason }) {
  const rest = [adapter, batchSize > 0 ? `batch ${batchSize}` : ""].filter(Boolean).join(", ");
  return { engine: engineName(engine), rest, reason: sentence(reason) };
}

/**
 * What happened to the GPU and what is kept, in sentences.
 * @param {GpuLoss} loss
 * @param {LiveRun["engine"]} [on] What the run was on.
 */
export function lossWords({ reason, epoch }, on = null) {
  const told = !on || on.batchSize === 0 || !/memory/iu.test(reason) || /batch \d/iu.test(reason);
  const batch = told ? "" : reason.endsWith("memory") ? ` at batch ${on.batchSize}` : ` (batch ${on.batchSize})`;
  return `${sentence(`${reason}${batch}`)} ${epoch > 0 ? `Kept epoch ${epoch}.` : "No epoch had ended, so training begins again."}`;
}

/** How the run can go on, as a sentence. @param {GpuLoss} loss */
export function choiceWords({ smallerBatch }) {
  return smallerBatch == null ? "Continue on the CPU, or stop." : `Continue on the CPU or retry at ${smallerBatch}.`;
}

/**
 * How a run goes on that nobody was asked about, as a sentence.
 * @param {string} decided
 * @param {GpuLoss} loss
 * @param {boolean} [byRecipe] Else because runs go side by side.
 */
export function decidedWords(decided, { smallerBatch }, byRecipe = true) {
  const how = decided === "smaller batch" ? `at batch ${smallerBatch ?? "?"}` : "on the CPU";
  return `The run goes on ${how}, ${byRecipe ? "as its recipe says" : "as nobody is asked while runs go side by side"}.`;
}

/**
 * Why a run cannot be the baseline, or empty.
 * @param {Pick<RunSummary, "agrees">|undefined} summary
 */
export function whyNoBaseline(summary) {
  return summary?.agrees === false ? "It cannot be the baseline: its GPU disagrees with the CPU, so its figures do not count." : "";
}

/**
 * What trained which epochs, in order.
 * @param {RunRecord} record
 * @returns {string[]} One part a line; empty where one engine did it all, from the start to the end.
 */
export function partWords({ results }) {
  const parts = results.execution?.parts ?? [];
  if (parts.length === 0 || (parts.length === 1 && !parts[0]?.reason)) return [];
  const finished = results.training?.curve.length ?? 0;
  return parts.map(({ engine, batch_size: batch, first_epoch: first, reason = "" }, index) => {
    const last = (parts[index + 1]?.first_epoch ?? finished + 1) - 1;
    const epochs = last < first ? `no whole epoch (from ${first} on)` : last === first ? `epoch ${first}` : `epochs ${first} to ${last}`;
    return `${engineName(engine)}, batch ${batch}: ${epochs}${reason ? `; ${reason}` : ""}`;
  });
}

/**
 * What fine-tuned a model and why that was not the GPU, or empty.
 * @param {RunRecord} record
 */
export function fineTuningWords({ results }) {
  const part = results.execution?.fine_tuning;
  if (!part) return "";
  return `on the ${engineName(part.engine)}${part.reason ? `; ${part.reason}` : ""}`;
}

/**
 * What a model is that had to be fine-tuned again, as a clause; empty where that gives the same one.
 * @param {RunRecord} record
 * @param {boolean} isAnew Whether it had to be: what fine-tuning had left is not stored in this browser.
 */
export function anewWords({ results }, isAnew) {
  if (!isAnew || results?.execution?.fine_tuning?.engine !== "gpu") return "";
  return "the weights that a GPU fine-tuned for this run are not stored in this browser, and fine-tuned anew on the CPU they are others";
}

/**
 * How the answers of a file, computed on the CPU, stand to those of a record: the end of a sentence.
 * @param {string} predictions Digest of the file's answers.
 * @param {RunRecord} record
 * @param {string} arithmetic Of the CPU in this version.
 * @param {boolean} [isAnew] Whether its model was fine-tuned again for the file.
 */
export function sameAnswersWords(predictions, record, arithmetic, isAnew = false) {
  const { digests, environment } = record;
  const anew = anewWords(record, isAnew);
  if (predictions === digests.predictions) return `, as the record says${anew && `; ${anew}`}`;
  const others = "; the record has others";
  if (anew) return `${others}: ${anew}`;
  if (environment.engine === "gpu" || environment.engine === "mixed") return `${others}: a GPU had a part in its run, and the file was checked on the CPU`;
  if (environment.arithmetic !== arithmetic) return `${others}: its run had the arithmetic ${environment.arithmetic}, and this version has ${arithmetic}`;
  return `${others}, although its run had the same arithmetic on a CPU: please report it`;
}
