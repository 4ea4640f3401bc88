// @ts-check
/** @file The shapes that travel between the page's modules, as JSDoc types: Rust's own (see src/) and the page's; no code. */

/**
 * @typedef {Object} FieldKind
 * @property {"integer"|"number"|"choice"|"text"|"object"} type
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [step]
 * @property {string[]} [options]
 */

/**
 * One field of a recipe, from `recipe::fields`.
 * @typedef {Object} Field
 * @property {string} path Dotted path in the document.
 * @property {string} label
 * @property {string} help
 * @property {string} unit
 * @property {FieldKind} kind
 * @property {string|number|null} default What it means to leave it out; null for a field that must be there.
 * @property {[string, string[]]|null} onlyWhen The field is there only where this path holds one of these words.
 */

/** @typedef {{ path: string, message: string }} Problem */

/**
 * What the wasm module throws.
 * @typedef {Object} AssayError
 * @property {string} kind `recipe`, `link`, `record`, `bad-input`, `too-large`, `unsupported`, `stopped`, `engine`; from
 *   the page's own code also `crashed`, `hung`, `closed`.
 * @property {string} message
 * @property {Problem[]} [problems]
 */

/**
 * @typedef {Object} LayerCost
 * @property {string} name
 * @property {string} kind
 * @property {number[]} output
 * @property {number} parameters
 * @property {number} macs
 * @property {number} bytes
 * @property {string} scheme
 * @property {string} reason
 */

/**
 * `result::Cost`.
 * @typedef {Object} Cost
 * @property {number} parameters
 * @property {number} macs
 * @property {number} weight_bytes
 * @property {number} f32_bytes
 * @property {number} activation_bytes
 * @property {number} training_macs
 * @property {LayerCost[]} layers
 */

/** @typedef {Record<string, any>} Recipe A recipe as a plain object; `recipe::Recipe`. */

/**
 * @typedef {Object} CheckedRecipe
 * @property {Recipe} recipe
 * @property {string} text Indented JSON, fields in reading order.
 * @property {string} digest
 * @property {Cost} cost
 */

/**
 * `result::EpochPoint`.
 * @typedef {Object} EpochPoint
 * @property {number} epoch
 * @property {number} train_loss
 * @property {number} train_accuracy
 * @property {number} validation_loss
 * @property {number} validation_accuracy
 * @property {number} learning_rate
 * @property {number} secs
 */

/**
 * `result::Latency`.
 * @typedef {Object} Latency
 * @property {number} batch
 * @property {number} calls_per_sample
 * @property {number} warmup_calls
 * @property {number[]} samples_millis
 * @property {number} mean_millis
 * @property {number} p50_millis
 * @property {number} p50_low_millis
 * @property {number} p50_high_millis
 * @property {number} [p95_millis]
 * @property {number} [p99_millis]
 * @property {number} samples_per_sec
 * @property {number} resolution_micros
 * @property {string[]} flags
 */

/**
 * `result::Execution`: on what a run was executed.
 * @typedef {Object} Execution
 * @property {string} asked `gpu` or `auto`.
 * @property {string} engine `cpu` or `gpu`: what it began with.
 * @property {string} reason
 * @property {{ cpu_step_millis: number, gpu_step_millis: number, gpu_wait_millis: number }} [trial]
 * @property {{ engine: string, batch_size: number, first_epoch: number, reason?: string }[]} [parts]
 * @property {{ engine: string, batch_size: number, first_epoch: number, reason?: string }} [fine_tuning] What fine-tuned the trained weights.
 * @property {{ adapter: string, dispatches_per_step: number, dispatches_per_batch: number, pipelines: number, tiles?: string[] }} [gpu]
 */

/**
 * `result::Probe`: numbers that both engines computed.
 * @typedef {Object} Probe
 * @property {string} name
 * @property {number} rows
 * @property {number} numbers
 * @property {number} max_absolute
 * @property {number} max_relative
 * @property {number} [cosine]
 * @property {number} [other_answers]
 * @property {number} tolerance
 * @property {boolean} within
 */

/**
 * `result::Agreement`.
 * @typedef {Object} Agreement
 * @property {boolean} agrees
 * @property {string} reason
 * @property {Probe[]} probes
 * @property {{ correct: number, total: number, low: number, high: number, confidence: number }} [cpu_accuracy]
 * @property {number[]} [flips]
 */

/**
 * `result::Breakdown`: what answers cost on both engines.
 * @typedef {Object} Breakdown
 * @property {number} compile_millis
 * @property {number} upload_millis
 * @property {number} upload_bytes
 * @property {boolean} timestamps
 * @property {{ batch: number, cpu_millis: number, gpu_millis: number }[]} batches
 * @property {number} [crossover]
 */

/**
 * `runlog::record::Record`, as its JSON says it (snake_case).
 * @typedef {Object} RunRecord
 * @property {string} assay
 * @property {number} version
 * @property {string} started
 * @property {number} duration_secs
 * @property {"complete"|"stopped"|"interrupted"|"non-finite"} status
 * @property {Recipe} recipe
 * @property {string} recipe_digest
 * @property {Results} results
 * @property {Findings} [findings]
 * @property {{ rows: number[], labels: number[], predicted: number[], confidence: number[] }} [predictions]
 * @property {{ data: string, source?: string, weights: string, fine_tuned?: string, stored: string, predictions: string }} digests
 * @property {Environment} environment
 * @property {string} [resumed_from]
 * @property {string} [checked_claim]
 * @property {string} digest
 */

/** @typedef {Record<string, any> & { execution?: Execution, agreement?: Agreement, breakdown?: Breakdown }} Results */

/**
 * `runlog::record::Environment`.
 * @typedef {Object} Environment
 * @property {string} app_version
 * @property {string} build
 * @property {string} engine
 * @property {string} arithmetic
 * @property {string} browser
 * @property {string} browser_version
 * @property {number} cores
 * @property {number} timer_resolution_micros
 * @property {boolean} isolated
 * @property {string} adapter
 */

/**
 * One row of the run table: flat and small. Numbers that the run did not reach are absent or null.
 * @typedef {Object} RunSummary
 * @property {string} digest Of the record.
 * @property {string} started RFC 3339.
 * @property {"complete"|"stopped"|"interrupted"|"non-finite"} status
 * @property {string} set
 * @property {string} family
 * @property {string} architecture In words.
 * @property {string} scheme
 * @property {number} seed
 * @property {number|null} [epochs]
 * @property {number|null} [epochsPlanned]
 * @property {number|null} [keptEpoch]
 * @property {number|null} [accuracy]
 * @property {number|null} [accuracyLow]
 * @property {number|null} [accuracyHigh]
 * @property {number|null} [correct]
 * @property {number|null} [total]
 * @property {number|null} [testLoss]
 * @property {number|null} [p50Millis]
 * @property {number|null} [p50LowMillis]
 * @property {number|null} [p50HighMillis]
 * @property {number|null} [throughputBatch]
 * @property {number|null} [samplesPerSec]
 * @property {number|null} [weightBytes]
 * @property {number|null} [parameters]
 * @property {number|null} [macs]
 * @property {string} engine `cpu`, `gpu` or `mixed`.
 * @property {boolean|null} [agrees] Whether the GPU agrees with the CPU; null where none was used.
 * @property {string} arithmetic
 * @property {string} browser
 * @property {string} recipeDigest
 * @property {string|null} [weightsDigest]
 * @property {string} [fineTunedDigest] Absent where nothing was fine-tuned.
 * @property {string|null} [predictionsDigest]
 * @property {number} durationSecs
 * @property {string|null} [resumedFrom]
 * @property {string|null} [checkedClaim]
 * @property {string[]} flags
 * @property {Record<string, string>} recipe Dotted path to text value.
 * @property {boolean} altered
 */

/**
 * A chart as Rust draws it, with its text twin.
 * @typedef {Object} Chart
 * @property {string} svg
 * @property {string} summary One or two sentences.
 * @property {string[]} columns
 * @property {string[][]} rows
 */

/**
 * One metric of `runlog::verdict`.
 * @typedef {Object} MetricVerdict
 * @property {string} name Stable, for programs.
 * @property {string} label
 * @property {string} unit
 * @property {number|null} claimed
 * @property {number|null} found
 * @property {string} claimedText As people read it.
 * @property {string} foundText
 * @property {"reproduced"|"within tolerance"|"diverged"|"compared"} verdict
 * @property {string} tolerance In words.
 * @property {string} reason
 */

/** @typedef {"reproduced"|"within tolerance"|"diverged"|"cannot be judged"} OverallVerdict */

/** @typedef {{ overall: OverallVerdict, reason: string, metrics: MetricVerdict[] }} Verdict */

/**
 * `result::Paired`.
 * @typedef {Object} Paired
 * @property {number} rows
 * @property {number} onlyFirst
 * @property {number} onlySecond
 * @property {number[]} disagreements
 * @property {number} pValue
 * @property {string} verdict
 * @property {string} reason
 */

/**
 * @typedef {Object} Comparison
 * @property {{ path: string, a: string, b: string }[]} fields Only those that differ.
 * @property {{ name: string, label: string, unit: string, a: number|null, b: number|null, delta: number|null, verdict: string, reason: string }[]} metrics
 * @property {Paired|null} paired
 */

/** @typedef {{ fragment: string, bytes: number, carries: string[] }} PackedLink */

/** @typedef {{ started: string, browser: string, engine: string, by: string }} ClaimBanner */

/**
 * @typedef {Object} OpenedLink
 * @property {"recipe"|"claim"} kind
 * @property {string} recipeText
 * @property {string} recipeDigest
 * @property {Record<string, any>} [claim]
 * @property {string} [claimText]
 * @property {ClaimBanner} [banner]
 */

/** @typedef {{ name?: string, note?: string, pin?: boolean, deleted?: boolean }} AnnotationState */

/** @typedef {{ kind: string, digest: string, text: string, altered: boolean }} LogEntry */

/** @typedef {{ entries: LogEntry[], bad: { line: number, message: string }[] }} ReadLog */

/**
 * What a running command says; `lab::protocol::EventBody` with `id`. Bytes named by `buffer` are attached as `bytes`.
 * @typedef {{ id: number, type: string, bytes?: Uint8Array, fineTuned?: Uint8Array } & Record<string, any>} LabEvent
 */

/**
 * Answer of the command `dataset`.
 * @typedef {Object} DatasetSummary
 * @property {string} set
 * @property {string} title
 * @property {string} attribution
 * @property {string[]} notes What was decided or left out while it was read.
 * @property {string} licence
 * @property {string} sha256
 * @property {[number, number, number]} shape
 * @property {string[]} classes
 * @property {[number, number, number][]} counts Per class: train, validation, test.
 * @property {number[]} train
 * @property {number[]} validation
 * @property {number[]} test
 * @property {number[]} labels
 * @property {string} groups What is never separated, as `game`; empty where each row stands for itself.
 * @property {string} [source] SHA-256 of the set that the recipe's edits were made of.
 * @property {number[]} [before] The class that each row with an edited label had there.
 */

/**
 * Answer of the command `images`.
 * @typedef {Object} Images
 * @property {Uint8Array} bytes One byte a pixel, row by row in the order asked.
 * @property {number} rows
 * @property {number} height
 * @property {number} width
 * @property {number} channels
 * @property {number[]} labels
 */

/**
 * What one check of the data found; `result::Finding`.
 * @typedef {Object} Finding
 * @property {string} check
 * @property {string} message
 * @property {"pass"|"warn"|"fail"} status
 * @property {number} count
 * @property {number} of 0 where it could not be made.
 * @property {string} unit
 * @property {number[]} [examples] Places, by the unit.
 * @property {number[]} [rows] All rows that it is about; not in a record.
 * @property {number[]} [suggested] The class of each of them in the view of the models that doubt its label.
 */

/** @typedef {{ findings: Finding[], quality: { dimension: string, score: number }[] }} Findings Answer of the command `check`. */

/** @typedef {{ probabilities: number[], predicted: number, millis: number }} Scores Answer of the command `predict`. */

/**
 * A run that was closed in the middle; it can go on from its checkpoint.
 * @typedef {Object} Checkpoint
 * @property {string} runId
 * @property {string} recipeText
 * @property {string} recipeDigest
 * @property {string} started RFC 3339, or empty.
 * @property {number} epoch Finished epochs; 0 when there is nothing to go on from.
 * @property {Uint8Array|null} bytes State to go on from.
 * @property {string|null} record Unsealed record with what was measured, as JSON text.
 * @property {string} [interruptedDigest] Of the sealed record, once it is in the log.
 * @property {string} [claimText] The claim that the run was a check of.
 */

export {};
