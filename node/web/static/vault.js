// A merchant's private keys: wrapped under the seven words of a key card, and, once unlocked, kept by
// this browser in a form that even this script can use and never read (non-extractable).

import {bind, decode, encode, fingerprint, raw, statement} from "./sealing.js";

const ROUNDS = 600_000; // of PBKDF2; what protects are the 77 bits of the words

// --- A card ------------------------------------------------------------------------------------

/** Fresh keys of a shop; those of `secret`, from an older card, are carried along. */
export async function made(shop, secret = null, endorser = null) {
  const owner = secret ? await ownerOf(secret) : await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
  const publicKey = await raw(pair.publicKey);
  const said = {
    owner: secret ? secret.owner.public : encode(await raw(owner.publicKey)),
    sealing: encode(publicKey),
    created: new Date().toISOString().replace(/\.\d+Z/, "Z"),
  };
  const message = statement(shop, said.owner, said.sealing, said.created);
  const sign = async (key) => encode(await crypto.subtle.sign("Ed25519", key, message));
  said.signature = await sign(owner.privateKey);
  said.endorsement = endorser ? await sign(endorser) : "";
  const one = {id: await fingerprint(publicKey), public: said.sealing, private: await secretOf(pair.privateKey)};
  return {
    said,
    secret: {
      owner: secret?.owner ?? {public: said.owner, private: await secretOf(owner.privateKey)},
      sealing: [one, ...(secret?.sealing ?? [])],
    },
  };
}

/** The secret under the words, as the node keeps it. */
export async function wrapped(words, shop, secret) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await keyOf(words, salt, "encrypt");
  const additionalData = bind("echoppe card 1", shop);
  const text = new TextEncoder().encode(JSON.stringify(secret));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({name: "AES-GCM", iv, additionalData}, key, text));
  return encode([...salt, ...iv, ...sealed]);
}

/** The secret again. Throws for other words, and for what was wrapped for another shop. */
export async function unwrapped(words, shop, text) {
  const bytes = decode(text);
  const key = await keyOf(words, bytes.slice(0, 16), "decrypt");
  const opening = {name: "AES-GCM", iv: bytes.slice(16, 28), additionalData: bind("echoppe card 1", shop)};
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(opening, key, bytes.slice(28))));
}

async function keyOf(words, salt, use) {
  const typed = new TextEncoder().encode(words.join(" "));
  const material = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveKey"]);
  const how = {name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS};
  return crypto.subtle.deriveKey(how, material, {name: "AES-GCM", length: 256}, false, [use]);
}

const secretOf = async (key) => encode(await crypto.subtle.exportKey("pkcs8", key));
const ownerOf = async (secret) => ({
  privateKey: await crypto.subtle.importKey("pkcs8", decode(secret.owner.private), "Ed25519", false, ["sign"]),
});

// --- This device -------------------------------------------------------------------------------

/** What this device holds of a shop: {owner, ownerPublic, sealing: {id: {key, public}}}, or null. */
export const kept = (shop) => inStore("readonly", (store) => store.get(shop)).then((found) => found ?? null);

/** Keeps a secret's keys for a shop, beside those that were held already. */
export async function keep(shop, secret) {
  const held = await kept(shop);
  const sealing = {...held?.sealing};
  for (const one of secret.sealing) {
    const key = await crypto.subtle.importKey("pkcs8", decode(one.private), "X25519", false, ["deriveBits"]);
    sealing[one.id] = {key, public: decode(one.public)};
  }
  const owner = (await ownerOf(secret)).privateKey;
  await inStore("readwrite", (store) => store.put({owner, ownerPublic: secret.owner.public, sealing}, shop));
}

/** The keys that wait until the node has taken them are the shop's once it shows their owner. */
export async function settle(shop, owner) {
  const [held, waiting] = [await kept(shop), await kept(`${shop} new`)];
  if (!waiting || waiting.ownerPublic !== owner) return;
  const all = {...waiting, sealing: {...held?.sealing, ...waiting.sealing}};
  await inStore("readwrite", (store) => store.put(all, shop));
  await forget(`${shop} new`);
}

/** Forgets a shop's keys: this device is locked again. */
export const forget = (shop) => inStore("readwrite", (store) => store.delete(shop));

function inStore(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("echoppe", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("keys", mode);
      const asked = act(transaction.objectStore("keys"));
      transaction.oncomplete = () => { opening.result.close(); resolve(asked.result); };
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
