// The merchant's list of reservations: opens what residents wrote with the keys of this device, and
// seals the shop's answer to the key that came with it.

import {decode, encode, forResident, forShop, open, seal} from "./sealing.js";
import {kept} from "./vault.js";

const page = document.getElementById("reservations").dataset;

begin();

async function begin() {
  const held = globalThis.indexedDB && globalThis.crypto?.subtle ? await kept(page.shop) : null;
  for (const one of document.querySelectorAll("[data-sealed]")) await read(one, held);
}

async function read(one, held) {
  const said = one.dataset;
  const part = (name) => one.querySelector(`.${name}`);
  const mine = held?.sealing[said.key];
  if (!mine) return;
  part("locked").hidden = true;
  let words;
  try {
    const info = forShop(page.shop, said.key, said.listing, said.id);
    words = JSON.parse(await open(mine.key, mine.public, info, decode(said.sealed)));
  } catch {
    part("unreadable").hidden = false;
    return;
  }
  const text = (name, value) => {
    part(name).textContent = String(value ?? "").slice(0, 500);
    part(name).parentElement.hidden = !value;
  };
  text("name", words.name);
  text("message", words.message);
  text("where", words.where);
  text("agreed", words.agreed);
  const contact = String(words.contact ?? "").slice(0, 200);
  const link = part("contact");
  if (words.way === "phone") link.href = `tel:${contact.replace(/[^0-9+]/g, "")}`;
  if (words.way === "mail") link.href = `mailto:${encodeURIComponent(contact)}`;
  text("contact", contact);
  part("opened").hidden = false;
  if (words.reply) await answering(one, String(words.reply));
}

/** A field for an answer: without a name, so that only what is sealed is sent. None for a key that
 *  nothing can be sealed to: a resident wrote it. */
async function answering(one, reply) {
  const info = forResident(page.shop, one.dataset.id);
  let key;
  try {
    key = decode(reply);
    await seal(key, info, "");
  } catch {
    return;
  }
  const field = one.querySelector(".answering");
  if (!field) return;
  field.hidden = false;
  const form = one.querySelector("form");
  form.addEventListener("submit", async (event) => {
    const typed = field.querySelector("textarea").value.trim();
    if (!typed) return;
    event.preventDefault();
    const act = Object.assign(document.createElement("input"), {type: "hidden", name: "act"});
    act.value = event.submitter.value;
    const sealed = await seal(key, info, typed);
    form.elements.answer.value = encode(sealed);
    form.append(act);
    form.submit();
  });
}
