// Sealing: what a resident writes becomes bytes that only the shop can read. This is all of it.
//
// HPKE (RFC 9180), base mode, one message for each sealing, on nothing but WebCrypto.
// Suite 1: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
// `node/sealing.py` is the same in Python; both are held against the published vectors.

export const SUITE = 1;
const KEM = join("KEM", [0x00, 0x20]);
const HPKE = join("HPKE", [0x00, 0x20, 0x00, 0x01, 0x00, 0x02]);
const SIZES = [1024, 2048, 4096]; // a text is padded to one of these: its length says little
const NONE = new Uint8Array();

// --- The two acts ------------------------------------------------------------------------------

/** Seals `text` to a public key (32 bytes), bound to `info`: a fresh key's public half, then the
 *  ciphertext. `ephemeral` is given by the test of the vectors alone. */
export async function seal(publicKey, info, text, ephemeral = null) {
  const pair = ephemeral ?? (await crypto.subtle.generateKey("X25519", false, ["deriveBits"]));
  const enc = await raw(pair.publicKey);
  const shared = await decapsulated(pair.privateKey, await imported(publicKey), enc, publicKey);
  const {key, nonce} = await schedule(shared, info, "encrypt");
  return join(enc, await crypto.subtle.encrypt({name: "AES-GCM", iv: nonce}, key, padded(text)));
}

/** The text that was sealed to `privateKey`, whose public half is `publicKey`. Throws where it was
 *  sealed to another key or bound to another `info`, or where one bit of it was changed. */
export async function open(privateKey, publicKey, info, sealed) {
  return new TextDecoder("utf-8", {fatal: true})
    .decode(await opened(privateKey, publicKey, info, sealed, NONE))
    .trimEnd();
}

/** The bytes of `open`, with additional data as the published vectors have it. */
export async function opened(privateKey, publicKey, info, sealed, additionalData) {
  const enc = sealed.slice(0, 32);
  const shared = await decapsulated(privateKey, await imported(enc), enc, publicKey);
  const {key, nonce} = await schedule(shared, info, "decrypt");
  return crypto.subtle.decrypt({name: "AES-GCM", iv: nonce, additionalData}, key, sealed.slice(32));
}

// --- RFC 9180 ----------------------------------------------------------------------------------

/** The shared secret (4.1). WebCrypto refuses public keys of low order: their product is zero. */
async function decapsulated(privateKey, publicKey, enc, recipient) {
  const dh = await crypto.subtle.deriveBits({name: "X25519", public: publicKey}, privateKey, 256);
  const prk = await extract(KEM, NONE, "eae_prk", dh);
  return expand(KEM, prk, "shared_secret", join(enc, recipient), 32);
}

/** Key and nonce of the one message (5.1). */
async function schedule(shared, info, use) {
  const context = join(
    [0x00], // base mode: no pre-shared key, no sender's key
    await extract(HPKE, NONE, "psk_id_hash", NONE),
    await extract(HPKE, NONE, "info_hash", info),
  );
  const secret = await extract(HPKE, shared, "secret", NONE);
  const key = await expand(HPKE, secret, "key", context, 32);
  const nonce = await expand(HPKE, secret, "base_nonce", context, 12);
  return {key: await crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]), nonce};
}

/** LabeledExtract (4), by HKDF-Extract (RFC 5869, 2.2): one HMAC. */
function extract(suite, salt, label, material) {
  return hmac(salt, join("HPKE-v1", suite, label, material));
}

/** LabeledExpand (4), by HKDF-Expand (RFC 5869, 2.3) of one block, since `size` is at most 32. */
async function expand(suite, prk, label, info, size) {
  const block = await hmac(prk, join([0, size], "HPKE-v1", suite, label, info, [1]));
  return block.slice(0, size);
}

async function hmac(key, message) {
  // A missing key is as many zeros as the hash is long (RFC 5869, 2.2); WebCrypto takes no empty one.
  const bytes = key.length ? key : new Uint8Array(32);
  const algorithm = {name: "HMAC", hash: "SHA-256"};
  const imported = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

const imported = (bytes) => crypto.subtle.importKey("raw", bytes, "X25519", true, []);
export const raw = async (key) => new Uint8Array(await crypto.subtle.exportKey("raw", key));

// --- What a sealing is bound to, and how long it is --------------------------------------------

/** Texts as one: each behind its length in two bytes, so that no two lists give the same bytes. */
export function bind(...texts) {
  return join(...texts.flatMap((text) => {
    const bytes = join(text);
    return [[bytes.length >> 8, bytes.length & 255], bytes];
  }));
}

/** What a reservation is sealed for: it opens nowhere else. */
export const forShop = (shop, key, listing, reservation) =>
  bind("echoppe reservation 1", shop, key, listing, reservation);

/** What the shop's answer is sealed for. */
export const forResident = (shop, reservation) => bind("echoppe answer 1", shop, reservation);

/** What an enquiry, or the shop's copy of an answer to one, is sealed for: `uri` is its note's. */
export const forEnquiry = (shop, key, uri) => bind("echoppe enquiry 1", shop, key, uri);

/** What an owner key signs: that this sealing key is the shop's. */
export const statement = (shop, owner, sealing, created) =>
  bind("echoppe keys 1", shop, owner, sealing, created);

/** Blanks behind the text up to one of the sizes. Throws for a text that is longer than all. */
function padded(text) {
  const bytes = join(text);
  const size = SIZES.find((one) => one >= bytes.length);
  if (size === undefined) throw new RangeError("too long to be sealed");
  return join(bytes, new Uint8Array(size - bytes.length).fill(0x20));
}

// --- Keys as people and pages see them ----------------------------------------------------------

/** A key's name: the first 80 bits of its SHA-256 in base 32, four groups of four. */
export async function fingerprint(publicKey) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)).slice(0, 10);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{5}/g).map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(five, 2)]);
  return letters.join("").match(/.{4}/g).join("-");
}

/** Whether the owner key signed what it should have. */
export async function signed(owner, signature, message) {
  const key = await crypto.subtle.importKey("raw", owner, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** Whether this browser can do all of it: it seals, opens again, and signs. */
export async function works() {
  try {
    const pair = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]);
    const mine = await raw(pair.publicKey);
    const info = bind("self-test");
    const owner = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const signature = await crypto.subtle.sign("Ed25519", owner.privateKey, info);
    return (
      (await open(pair.privateKey, mine, info, await seal(mine, info, "é"))) === "é" &&
      (await signed(await raw(owner.publicKey), signature, info))
    );
  } catch {
    return false;
  }
}

// --- Bytes ---------------------------------------------------------------------------------------

/** Texts (as UTF-8), numbers and bytes, one behind the other. */
function join(...parts) {
  const all = parts.map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : new Uint8Array(part));
  const joined = new Uint8Array(all.reduce((size, part) => size + part.length, 0));
  all.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
  return joined;
}

/** base64url without padding, as keys and sealed bytes stand in pages. */
export const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
