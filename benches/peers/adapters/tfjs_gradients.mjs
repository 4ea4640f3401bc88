// @ts-check
/**
 * @file The gradient kernels that a backend of TensorFlow.js 4.22 lacks (wasm does), made of kernels it has, as its users work around it:
 * a convolution's filter gradient as a convolution, a depthwise convolution's gradients tap by tap or as a convolution.
 */

/**
 * @param {any} tf
 * @param {string} backendName
 */
export function addMissingGradients(tf, backendName) {
  const known = new Set(tf.getKernelsForBackend(backendName).map((/** @type {any} */ kernel) => kernel.kernelName));
  for (const [kernelName, compute] of Object.entries({
    Conv2DBackpropFilter: filterGradient,
    DepthwiseConv2dNativeBackpropFilter: deepFilterGradient,
    DepthwiseConv2dNativeBackpropInput: deepInputGradient,
  })) {
    if (known.has(kernelName)) continue;
    const kernelFunc = (/** @type {any} */ { inputs, attrs }) => {
      const tensors = Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, asTensor(tf, info)]));
      return tf.tidy(() => compute(tf, tensors, attrs));
    };
    tf.registerKernel({ kernelName, backendName, kernelFunc });
  }
}

/**
 * A kernel may be handed a bare reference to data.
 *
 * @param {any} tf
 * @param {any} info
 */
function asTensor(tf, info) {
  return info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);
}

/** @param {number | number[]} stride */
const pair = (stride) => (Array.isArray(stride) ? stride : [stride, stride]);

/**
 * The image with its padding, cut to what the windows reach.
 *
 * @param {any} tf
 * @param {any} x
 * @param {any} info
 * @param {number[]} strides
 */
function reached(tf, x, { padInfo, outHeight, outWidth, filterHeight, filterWidth }, strides) {
  const height = (outHeight - 1) * strides[0] + filterHeight;
  const width = (outWidth - 1) * strides[1] + filterWidth;
  const bottom = Math.max(height - x.shape[1] - padInfo.top, 0);
  const right = Math.max(width - x.shape[2] - padInfo.left, 0);
  const none = padInfo.top + padInfo.left + bottom + right === 0;
  const padded = none ? x : tf.pad(x, [[0, 0], [padInfo.top, bottom], [padInfo.left, right], [0, 0]]);
  if (padded.shape[1] === height && padded.shape[2] === width) return padded;
  return tf.slice(padded, [0, 0, 0, 0], [x.shape[0], height, width, x.shape[3]]);
}

/**
 * With rows as channels and channels as rows, it is a convolution of the image with the output's gradient, dilated by the stride.
 *
 * @param {any} tf
 * @param {any} inputs
 * @param {any} attributes
 */
function filterGradient(tf, { x, dy }, { strides, pad, filterShape }) {
  const steps = pair(strides);
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, steps, 1, pad);
  const image = tf.transpose(reached(tf, x, info, steps), [3, 1, 2, 0]);
  const gradient = tf.transpose(dy, [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(image, gradient, 1, "valid", "NHWC", steps), [1, 2, 0, 3]);
}

/**
 * @param {any} tf
 * @param {any} inputs
 * @param {any} attributes
 */
function deepFilterGradient(tf, { x, dy }, { strides, dilations, pad, filterShape }) {
  const steps = pair(strides);
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, steps, dilations, pad, undefined, true);
  const image = reached(tf, x, info, steps);
  const [height, width, planes] = filterShape;
  const taps = [];
  for (let down = 0; down < height; down += 1) {
    for (let across = 0; across < width; across += 1) {
      const end = [x.shape[0], down + (info.outHeight - 1) * steps[0] + 1, across + (info.outWidth - 1) * steps[1] + 1, planes];
      const seen = tf.stridedSlice(image, [0, down, across, 0], end, [1, ...steps, 1]);
      taps.push(tf.sum(tf.mul(seen, dy), [0, 1, 2]));
    }
  }
  return tf.reshape(tf.stack(taps), filterShape);
}

/**
 * A depthwise convolution of the output's gradient, zeros between its places where the stride left some out, with the filter turned
 * around.
 *
 * @param {any} tf
 * @param {any} inputs
 * @param {any} attributes
 */
function deepInputGradient(tf, { dy, filter }, { strides, dilations, pad, inputShape }) {
  const steps = pair(strides);
  const info = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, steps, dilations, pad, undefined, true);
  const spread = dilated(tf, dy, steps);
  const { top, left } = info.padInfo;
  const before = [info.filterHeight - 1 - top, info.filterWidth - 1 - left];
  const after = [inputShape[1] + top - spread.shape[1], inputShape[2] + left - spread.shape[2]];
  const padded = tf.pad(spread, [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]]);
  return tf.depthwiseConv2d(padded, tf.reverse(filter, [0, 1]), 1, "valid");
}

/**
 * @param {any} tf
 * @param {any} dy
 * @param {number[]} steps
 */
function dilated(tf, dy, [down, across]) {
  if (down === 1 && across === 1) return dy;
  const [rows, height, width, planes] = dy.shape;
  const wide = tf.reshape(tf.pad(tf.reshape(dy, [rows * height, width, 1, planes]), [[0, 0], [0, 0], [0, across - 1], [0, 0]]), [rows, height, 1, width * across * planes]);
  const tall = tf.reshape(tf.pad(wide, [[0, 0], [0, 0], [0, down - 1], [0, 0]]), [rows, height * down, width * across, planes]);
  return tf.slice(tall, [0, 0, 0, 0], [rows, (height - 1) * down + 1, (width - 1) * across + 1, planes]);
}
