// A QR code of up to 213 bytes, drawn in the browser because what it says may go nowhere else: the
// words of a key card. One size is enough (ISO/IEC 18004: version 10, level M, mask 0).

const SIZE = 57;
const BLOCKS = [43, 43, 43, 43, 44]; // bytes of data in each
const CHECK = 26; // bytes of correction behind each

/** Rows of dark (true) and light modules. Throws for a text that does not fit. */
export function modules(text) {
  const dark = grid(), fixed = grid();
  const set = (x, y, on) => { dark[y][x] = Boolean(on); fixed[y][x] = true; };
  const bit = (value, at) => (value >> at) & 1;
  for (let i = 0; i < SIZE; i++) { set(6, i, i % 2 === 0); set(i, 6, i % 2 === 0); } // timing
  for (const [cx, cy] of [[3, 3], [SIZE - 4, 3], [3, SIZE - 4]]) square(set, cx, cy, 4, [2, 4]);
  for (const cx of [6, 28, 50]) for (const cy of [6, 28, 50]) {
    if (!fixed[cy][cx] || cx + cy === 34) square(set, cx, cy, 2, [1]);
  }
  for (let i = 0; i < 15; i++) { // format: level M, mask 0
    const on = bit(0x5412, i);
    if (i < 6) set(8, i, on); else if (i < 8) set(8, i + 1, on); else if (i === 8) set(7, 8, on); else set(14 - i, 8, on);
    if (i < 8) set(SIZE - 1 - i, 8, on); else set(8, SIZE - 15 + i, on);
  }
  set(8, SIZE - 8, true);
  for (let i = 0; i < 18; i++) { // version
    const on = bit(0x0a4d3, i), a = SIZE - 11 + (i % 3), b = Math.floor(i / 3);
    set(a, b, on);
    set(b, a, on);
  }
  const bytes = codewords(new TextEncoder().encode(text));
  let at = 0;
  for (let right = SIZE - 1; right >= 1; right -= 2) { // two columns at a time, up and down
    if (right === 6) right = 5;
    for (let step = 0; step < SIZE; step++) for (const x of [right, right - 1]) {
      const y = ((right + 1) & 2) === 0 ? SIZE - 1 - step : step;
      if (fixed[y][x]) continue;
      const on = at < bytes.length * 8 && bit(bytes[at >> 3], 7 - (at & 7));
      dark[y][x] = Boolean(on) !== ((x + y) % 2 === 0);
      at++;
    }
  }
  return dark;
}

/** The code as an SVG element with a name for who cannot see it. */
export function drawn(text, name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `-4 -4 ${SIZE + 8} ${SIZE + 8}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", modules(text).flatMap((row, y) =>
    row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join(""));
  svg.append(path);
  return svg;
}

const grid = () => Array.from({length: SIZE}, () => new Array(SIZE).fill(false));

/** A square of rings around a point; those at the distances `light` are light. */
function square(set, cx, cy, reach, light) {
  for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
    const x = cx + dx, y = cy + dy;
    if (x >= 0 && y >= 0 && x < SIZE && y < SIZE) {
      set(x, y, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  }
}

/** Data in bytes, filled up, in blocks with their correction, interleaved. */
function codewords(text) {
  const capacity = BLOCKS.reduce((sum, size) => sum + size);
  if (text.length > capacity - 3) throw new RangeError("too long for the code");
  const whole = [4, text.length >> 8, text.length & 255, ...text, 0]; // the first is half a byte
  const data = [];
  for (let i = 0; data.length < capacity && i < whole.length - 1; i++) {
    data.push(((whole[i] & 15) << 4) | (whole[i + 1] >> 4));
  }
  for (let fill = 0xec; data.length < capacity; fill ^= 0xfd) data.push(fill);
  let start = 0;
  const blocks = BLOCKS.map((size) => data.slice(start, (start += size)));
  const checks = blocks.map(correction);
  const interleaved = [];
  for (let i = 0; i < 44; i++) for (const block of blocks) if (i < block.length) interleaved.push(block[i]);
  for (let i = 0; i < CHECK; i++) for (const check of checks) interleaved.push(check[i]);
  return interleaved;
}

/** Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1. */
function correction(block) {
  let divisor = [...new Array(CHECK - 1).fill(0), 1];
  for (let i = 0, root = 1; i < CHECK; i++, root = times(root, 2)) {
    divisor = divisor.map((one, j) => times(one, root) ^ (divisor[j + 1] ?? 0));
  }
  return block.reduce((rest, byte) => {
    const factor = byte ^ rest[0];
    return [...rest.slice(1), 0].map((one, j) => one ^ times(divisor[j], factor));
  }, new Array(CHECK).fill(0));
}

function times(a, b) {
  let product = 0;
  for (let i = 7; i >= 0; i--) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> i) & 1) * a);
  return product;
}
