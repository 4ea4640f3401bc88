// @ts-check
/** @file From strokes of a pen to the small picture that a model was trained on: scaled, centred, averaged. Pure. */

/** @typedef {{ x: number, y: number }} Point in units of the pad, 0 to 1 */
/** @typedef {readonly Point[]} Stroke */

/** Fine pixels along a side of a picture's pixel: the set `digits` counted the black ones of 4 × 4. */
const BLOCK = 4;
/** Pen radius as a share of the picture's height; chosen so that drawn digits are as dark as those of the set. */
const PEN_RADIUS = 0.085;

/**
 * Makes a picture like those of the set `digits`: the strokes are scaled to the full height (or width, if wider), centred,
 * drawn with an even pen on a grid four times finer, and each pixel is the share of its 4 × 4 fine pixels that are inked.
 * @param {readonly Stroke[]} strokes
 * @param {number} width pixels
 * @param {number} height pixels
 * @returns {number[]} `height × width` values from 0 to 1, row by row
 */
export function pictureFromStrokes(strokes, width, height) {
  const placed = placedStrokes(strokes, width, height);
  const fineWidth = width * BLOCK;
  const fineHeight = height * BLOCK;
  const ink = new Uint8Array(fineWidth * fineHeight);
  const radius = PEN_RADIUS * fineHeight;
  for (const stroke of placed) {
    const points = stroke.map(({ x, y }) => ({ x: x * BLOCK, y: y * BLOCK }));
    points.forEach((point, index) => {
      stampSegment(ink, fineWidth, fineHeight, points[Math.max(0, index - 1)] ?? point, point, radius);
    });
  }
  return averaged(ink, fineWidth, fineHeight, BLOCK);
}

/**
 * Strokes in pixels of the picture: the box around them, the pen's width included, fills the picture as far as their shape allows.
 * @param {readonly Stroke[]} strokes
 * @param {number} width pixels
 * @param {number} height pixels
 * @returns {Point[][]}
 */
export function placedStrokes(strokes, width, height) {
  const points = strokes.flat();
  if (points.length === 0) return [];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const pen = 2 * PEN_RADIUS * height;
  const scale = Math.min(
    (height - pen) / Math.max(bottom - top, 1e-6),
    (width - pen) / Math.max(right - left, 1e-6),
  );
  const finite = right - left < 1e-6 && bottom - top < 1e-6 ? 0 : scale;
  const middleX = (left + right) / 2;
  const middleY = (top + bottom) / 2;
  return strokes.map((stroke) => stroke.map(({ x, y }) => ({
    x: width / 2 + (x - middleX) * finite,
    y: height / 2 + (y - middleY) * finite,
  })));
}

/**
 * Mean over blocks.
 * @param {ArrayLike<number>} values `width × height`, row by row
 * @param {number} width a multiple of `block`
 * @param {number} height a multiple of `block`
 * @param {number} block side of a block
 * @returns {number[]}
 */
export function averaged(values, width, height, block) {
  const columns = width / block;
  const sums = new Array(columns * (height / block)).fill(0);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      sums[Math.floor(y / block) * columns + Math.floor(x / block)] += values[y * width + x] ?? 0;
    }
  }
  return sums.map((sum) => sum / (block * block));
}

/**
 * Inks every fine pixel whose centre is within `radius` of the segment.
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} height
 * @param {Point} from
 * @param {Point} to
 * @param {number} radius
 */
function stampSegment(ink, width, height, from, to, radius) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length2 = dx * dx + dy * dy;
  const x0 = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius));
  const x1 = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + radius));
  const y0 = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
  const y1 = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + radius));
  for (let y = y0; y <= y1; y += 1) {
    for (let x = x0; x <= x1; x += 1) {
      const px = x + 0.5 - from.x;
      const py = y + 0.5 - from.y;
      const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const ex = px - along * dx;
      const ey = py - along * dy;
      if (ex * ex + ey * ey <= radius * radius) ink[y * width + x] = 1;
    }
  }
}
