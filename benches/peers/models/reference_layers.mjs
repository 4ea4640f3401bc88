// @ts-check
/**
 * @file The layers of the reference and their gradients as plain loops in f64: rows one after another, tensors in PyTorch's order.
 * Each returns its value and a function that walks back.
 */

import { count } from "./shapes.mjs";

/** @import { Node } from "./shapes.mjs" */

/**
 * @typedef {(gradient: Float64Array) => Float64Array[]} Back from the gradient of a layer's value to those of its inputs; a tensor's
 *   gradient is added up on the way
 * @typedef {{ out: Float64Array, back: Back }} Step
 * @typedef {{ value: Float64Array, gradient: Float64Array }} Parameter
 */

/**
 * @param {Float64Array} x
 * @param {number} width
 * @param {number} units
 * @param {Parameter} weight
 * @param {Parameter} bias
 * @returns {Step}
 */
export function linear(x, width, units, weight, bias) {
  const rows = x.length / width;
  const out = new Float64Array(rows * units);
  for (let row = 0; row < rows; row += 1) {
    for (let unit = 0; unit < units; unit += 1) {
      let sum = bias.value[unit];
      for (let at = 0; at < width; at += 1) sum += x[row * width + at] * weight.value[unit * width + at];
      out[row * units + unit] = sum;
    }
  }
  return { out, back: (gradient) => {
    const dx = new Float64Array(x.length);
    for (let row = 0; row < rows; row += 1) {
      for (let unit = 0; unit < units; unit += 1) {
        const slope = gradient[row * units + unit];
        bias.gradient[unit] += slope;
        for (let at = 0; at < width; at += 1) {
          dx[row * width + at] += slope * weight.value[unit * width + at];
          weight.gradient[unit * width + at] += slope * x[row * width + at];
        }
      }
    }
    return [dx];
  } };
}

/**
 * Calls `visit` for every run of products of a convolution that share a weight and lie inside the image: the first place of output
 * and input, the weight, the length, and how far apart the inputs are.
 *
 * @param {Node} node
 * @param {number} rows
 * @param {(out: number, input: number, weight: number, length: number, stride: number) => void} visit
 */
function eachRun({ layer, inputs: [[planes, height, width]], output: [channels, outHeight, outWidth] }, rows, visit) {
  const { kernel, stride = [1, 1], padding = [0, 0, 0, 0], groups = 1 } = layer;
  const depth = planes / groups;
  for (let row = 0; row < rows; row += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const firstPlane = Math.floor(channel / (channels / groups)) * depth;
      for (let tap = 0; tap < depth * kernel[0] * kernel[1]; tap += 1) {
        const across = (tap % kernel[1]) - padding[1];
        const down = (Math.floor(tap / kernel[1]) % kernel[0]) - padding[0];
        const plane = row * planes + firstPlane + Math.floor(tap / kernel[1] / kernel[0]);
        const first = Math.max(0, Math.ceil(-across / stride[1]));
        const last = Math.min(outWidth - 1, Math.floor((width - 1 - across) / stride[1]));
        for (let i = 0; i < outHeight; i += 1) {
          const y = i * stride[0] + down;
          if (y < 0 || y >= height || last < first) continue;
          const out = ((row * channels + channel) * outHeight + i) * outWidth + first;
          const input = (plane * height + y) * width + first * stride[1] + across;
          visit(out, input, channel * depth * kernel[0] * kernel[1] + tap, last - first + 1, stride[1]);
        }
      }
    }
  }
}

/**
 * @param {Node} node
 * @param {Float64Array} x
 * @param {number} rows
 * @param {Parameter} weight
 * @param {Parameter} bias
 * @returns {Step}
 */
export function convolution(node, x, rows, weight, bias) {
  const out = new Float64Array(rows * count(node.output));
  const places = node.output[1] * node.output[2];
  const channelOf = (/** @type {number} */ at) => Math.floor(at / places) % node.output[0];
  for (let at = 0; at < out.length; at += 1) out[at] = bias.value[channelOf(at)];
  eachRun(node, rows, (to, from, tap, length, stride) => {
    const factor = weight.value[tap];
    for (let n = 0; n < length; n += 1) out[to + n] += x[from + n * stride] * factor;
  });
  return { out, back: (gradient) => {
    const dx = new Float64Array(x.length);
    for (let at = 0; at < gradient.length; at += 1) bias.gradient[channelOf(at)] += gradient[at];
    eachRun(node, rows, (to, from, tap, length, stride) => {
      const factor = weight.value[tap];
      let sum = 0;
      for (let n = 0; n < length; n += 1) {
        dx[from + n * stride] += gradient[to + n] * factor;
        sum += gradient[to + n] * x[from + n * stride];
      }
      weight.gradient[tap] += sum;
    });
    return [dx];
  } };
}

/**
 * @param {Node} node
 * @param {Float64Array} x
 * @param {number} rows
 * @returns {Step}
 */
export function maxPool({ layer, inputs: [[planes, height, width]], output }, x, rows) {
  const [, outHeight, outWidth] = output;
  const { size, stride } = layer;
  const winners = new Int32Array(rows * count(output));
  for (let to = 0; to < winners.length; to += 1) {
    const plane = Math.floor(to / outHeight / outWidth);
    const top = (Math.floor(to / outWidth) % outHeight) * stride[0];
    const left = (to % outWidth) * stride[1];
    let best = -1;
    for (let i = 0; i < size[0]; i += 1) {
      for (let j = 0; j < size[1]; j += 1) {
        const from = (plane * height + top + i) * width + left + j;
        if (best < 0 || x[from] > x[best]) best = from;
      }
    }
    winners[to] = best;
  }
  return { out: Float64Array.from(winners, (from) => x[from]), back: (gradient) => {
    const dx = new Float64Array(rows * planes * height * width);
    winners.forEach((from, to) => { dx[from] += gradient[to]; });
    return [dx];
  } };
}

/**
 * Means over the middle of `[outer, middle, inner]`.
 *
 * @param {Float64Array} x
 * @param {number} outer
 * @param {number} middle
 * @param {number} inner
 * @returns {Step}
 */
export function averaged(x, outer, middle, inner) {
  const out = new Float64Array(outer * inner);
  const to = (/** @type {number} */ from) => Math.floor(from / middle / inner) * inner + (from % inner);
  x.forEach((value, from) => { out[to(from)] += value / middle; });
  return { out, back: (gradient) => [x.map((_, from) => gradient[to(from)] / middle)] };
}

/**
 * @param {Float64Array} x
 * @param {number} width
 * @param {number} epsilon
 * @param {Parameter} weight
 * @param {Parameter} bias
 * @returns {Step}
 */
export function layerNorm(x, width, epsilon, weight, bias) {
  const rows = x.length / width;
  const normal = new Float64Array(x.length);
  const scales = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const values = x.subarray(row * width, (row + 1) * width);
    const mean = values.reduce((sum, value) => sum + value, 0) / width;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    scales[row] = 1 / Math.sqrt(variance + epsilon);
    values.forEach((value, at) => { normal[row * width + at] = (value - mean) * scales[row]; });
  }
  return { out: normal.map((value, at) => value * weight.value[at % width] + bias.value[at % width]), back: (gradient) => {
    const dx = new Float64Array(x.length);
    for (let row = 0; row < rows; row += 1) {
      let sum = 0;
      let product = 0;
      for (let at = 0; at < width; at += 1) {
        const place = row * width + at;
        weight.gradient[at] += gradient[place] * normal[place];
        bias.gradient[at] += gradient[place];
        sum += gradient[place] * weight.value[at];
        product += gradient[place] * weight.value[at] * normal[place];
      }
      for (let at = 0; at < width; at += 1) {
        const place = row * width + at;
        dx[place] = scales[row] * (gradient[place] * weight.value[at] - (sum + normal[place] * product) / width);
      }
    }
    return [dx];
  } };
}

/**
 * @param {string} name
 * @param {Float64Array} x
 * @returns {Step}
 */
export function activation(name, x) {
  const normalCdf = (/** @type {number} */ v) => 0.5 * (1 + erf(v / Math.SQRT2));
  /** @type {Record<string, [(v: number) => number, (v: number) => number]>} */
  const known = {
    relu: [(v) => Math.max(v, 0), (v) => (v > 0 ? 1 : 0)],
    relu6: [(v) => Math.min(Math.max(v, 0), 6), (v) => (v > 0 && v < 6 ? 1 : 0)],
    gelu: [(v) => v * normalCdf(v), (v) => normalCdf(v) + (v * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI)],
  };
  const [value, slope] = known[name];
  return { out: x.map(value), back: (gradient) => [x.map((v, at) => slope(v) * gradient[at])] };
}

/**
 * The error function by its series without cancellation, 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! (DLMF 7.6.2).
 *
 * @param {number} x
 */
export function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * @param {Float64Array} x
 * @param {number} rows
 * @param {number[]} shape
 * @param {Parameter | null} positions
 * @returns {Step}
 */
export function tokens(x, rows, [planes, height, width], positions) {
  const places = height * width;
  const row = planes * places;
  const from = (/** @type {number} */ to) => Math.floor(to / row) * row + (to % planes) * places + (Math.floor(to / planes) % places);
  const out = Float64Array.from({ length: rows * row }, (_, to) => x[from(to)] + (positions ? positions.value[to % row] : 0));
  return { out, back: (gradient) => {
    const dx = new Float64Array(x.length);
    gradient.forEach((slope, to) => {
      dx[from(to)] += slope;
      if (positions) positions.gradient[to % row] += slope;
    });
    return [dx];
  } };
}

/**
 * @param {Float64Array} x
 * @param {number} rows
 * @param {number[]} shape
 * @param {number} heads
 * @returns {Step}
 */
export function attention(x, rows, [places, planes], heads) {
  const depth = planes / 3;
  const width = depth / heads;
  const scale = 1 / Math.sqrt(width);
  const out = new Float64Array(rows * places * depth);
  const shares = new Float64Array(rows * heads * places * places);
  /** Where the part (0 queries, 1 keys, 2 values) of a place and a head starts. */
  const at = (/** @type {number} */ row, /** @type {number} */ place, /** @type {number} */ part, /** @type {number} */ head) =>
    (row * places + place) * planes + part * depth + head * width;
  const dot = (/** @type {Float64Array} */ a, /** @type {number} */ i, /** @type {Float64Array} */ b, /** @type {number} */ j) => {
    let sum = 0;
    for (let n = 0; n < width; n += 1) sum += a[i + n] * b[j + n];
    return sum;
  };
  const each = (/** @type {(row: number, head: number, query: number, first: number, to: number) => void} */ visit) => {
    for (let row = 0; row < rows; row += 1) {
      for (let head = 0; head < heads; head += 1) {
        for (let query = 0; query < places; query += 1) {
          visit(row, head, query, ((row * heads + head) * places + query) * places, (row * places + query) * depth + head * width);
        }
      }
    }
  };
  each((row, head, query, first, to) => {
    const line = shares.subarray(first, first + places);
    for (let key = 0; key < places; key += 1) line[key] = scale * dot(x, at(row, query, 0, head), x, at(row, key, 1, head));
    const top = Math.max(...line);
    const total = line.reduce((sum, score) => sum + Math.exp(score - top), 0);
    for (let key = 0; key < places; key += 1) {
      line[key] = Math.exp(line[key] - top) / total;
      for (let n = 0; n < width; n += 1) out[to + n] += line[key] * x[at(row, key, 2, head) + n];
    }
  });
  return { out, back: (gradient) => {
    const dx = new Float64Array(x.length);
    each((row, head, query, first, to) => {
      const line = shares.subarray(first, first + places);
      const slopes = line.map((_, key) => dot(gradient, to, x, at(row, key, 2, head)));
      const mean = slopes.reduce((sum, slope, key) => sum + slope * line[key], 0);
      for (let key = 0; key < places; key += 1) {
        const score = scale * line[key] * (slopes[key] - mean);
        for (let n = 0; n < width; n += 1) {
          dx[at(row, key, 2, head) + n] += line[key] * gradient[to + n];
          dx[at(row, query, 0, head) + n] += score * x[at(row, key, 1, head) + n];
          dx[at(row, key, 1, head) + n] += score * x[at(row, query, 0, head) + n];
        }
      }
    });
    return [dx];
  } };
}
