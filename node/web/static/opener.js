// Opening an export: one saved file, no server. The words of the card unwrap the keys that the file
// carries, and these open what residents wrote.

import {decode, forShop, open} from "./sealing.js";
import {read} from "./words.js";
import {unwrapped} from "./vault.js";

const held = JSON.parse(document.getElementById("export").textContent);
const form = document.getElementById("open");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = read(document.getElementById("typed").value);
  const keys = new Map();
  for (const card of held.cards) {
    try {
      for (const one of (await unwrapped(words, held.shop, card)).sealing) keys.set(one.id, one);
    } catch { /* another card */ }
  }
  document.getElementById("wrong").hidden = keys.size > 0;
  if (!keys.size) return;
  const list = document.getElementById("list");
  list.replaceChildren();
  for (const one of held.reservations) {
    const item = document.createElement("li");
    item.textContent = `${one.code} – ${one.quantity} × ${one.item} – `;
    item.append(await said(one, keys.get(one.key)));
    list.append(item);
  }
});

async function said(one, key) {
  if (!key) return form.dataset.locked;
  try {
    const mine = await crypto.subtle.importKey("pkcs8", decode(key.private), "X25519", false, ["deriveBits"]);
    const info = forShop(held.shop, one.key, one.listing, one.id);
    const words = JSON.parse(await open(mine, decode(key.public), info, decode(one.sealed)));
    return [words.name, words.contact, words.where, words.agreed, words.message].filter(Boolean).join(" – ");
  } catch {
    return form.dataset.unreadable;
  }
}
