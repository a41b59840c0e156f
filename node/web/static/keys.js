// The page of a shop's key card: making one, unlocking this device with one, and a new one.
// The words exist on this page, on paper, and nowhere else.

import {decode, fingerprint, works} from "./sealing.js";
import {draw, read, unknown} from "./words.js";
import {drawn} from "./qr.js";
import {forget, keep, kept, made, settle, unwrapped, wrapped} from "./vault.js";

const COUNT = 7;
const page = document.getElementById("keys").dataset;
const at = (id) => document.getElementById(id);
const show = (id, shown = true) => { if (at(id)) at(id).hidden = !shown; };
let secret = null; // what a card that was typed here holds
let words = [];

begin();

async function begin() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB || !(await works())) return show("unable");
  if (page.owner) await settle(page.shop, page.owner);
  show("able");
  at("make").addEventListener("click", make);
  at("check").addEventListener("submit", check);
  at("print").addEventListener("click", () => window.print());
  at("again").addEventListener("click", () => { show("check", false); show("card"); });
  at("written").addEventListener("click", ask);
  at("unlock")?.addEventListener("submit", unlock);
  at("lock")?.addEventListener("click", async () => { await forget(page.shop); location.reload(); });
  await state();
  const scanned = read(decodeURIComponent(location.hash));
  if (scanned.length && at("unlock")) { // the QR code of the card brings them
    history.replaceState(null, "", location.pathname);
    at("typed").value = scanned.join(" ");
    at("unlock").requestSubmit();
  }
}

/** What this device can do, and what a new card would mean. */
async function state() {
  const held = await kept(page.shop);
  const unlocked = Boolean(held && Object.keys(held.sealing).includes(page.key));
  show("locked", Boolean(page.key) && !unlocked);
  show("unlocked", unlocked);
  show("loses-nothing", Boolean(page.key && secret));
  show("keeps-here", Boolean(page.key && !secret && held));
  show("loses-all", Boolean(page.key && !secret && !held));
  if (at("sure")) at("sure").required = !secret && !held;
}

async function unlock(event) {
  event.preventDefault();
  const typed = read(at("typed").value);
  const strange = unknown(typed);
  show("unlock-words", strange.length > 0 || typed.length !== COUNT);
  show("unlock-wrong", false);
  if (strange.length || typed.length !== COUNT) {
    at("strange").textContent = strange.join(", ");
    return;
  }
  at("unlocking").disabled = true;
  for (const held of JSON.parse(page.wrapped)) { // an older card still opens what is older
    try {
      const found = await unwrapped(typed, page.shop, held);
      await keep(page.shop, found);
      if (found.sealing.some((one) => one.id === page.key)) secret = found;
      at("typed").value = "";
      at("unlocking").disabled = false;
      await state();
      at("unlocked").focus();
      return;
    } catch { /* not this one */ }
  }
  at("unlocking").disabled = false;
  show("unlock-wrong");
}

/** Draws the words and shows the card. Nothing is sent before three of them were typed back. */
async function make() {
  if (at("sure")?.required && !at("sure").checked) return at("sure").reportValidity();
  const held = page.key && !secret ? await kept(page.shop) : null;
  const fresh = await made(page.shop, secret, held?.owner);
  words = draw(COUNT);
  const form = at("save").elements;
  for (const [name, value] of Object.entries(fresh.said)) form[name].value = value;
  form.wrapped.value = await wrapped(words, page.shop, fresh.secret);
  await keep(`${page.shop} new`, fresh.secret);
  at("card-words").replaceChildren(...words.map((word) =>
    Object.assign(document.createElement("li"), {textContent: word})));
  at("card-mark").textContent = await fingerprint(decode(fresh.said.owner));
  try {
    at("card-code").replaceChildren(drawn(`${page.page}#${words.join("-")}`, page.codeName));
  } catch { /* a very long address: the words alone do */ }
  show("intro", false);
  show("check", false);
  show("card");
  at("card").focus();
}

/** Asks for three of the words, so that no card is lost before it was ever written down. */
function ask() {
  const numbers = [...words.keys()];
  while (numbers.length > 3) numbers.splice(Math.floor(Math.random() * numbers.length), 1);
  [...at("check").querySelectorAll(".field")].forEach((field, i) => {
    field.dataset.number = numbers[i];
    field.querySelector("label").textContent = page.wordName.replace("{number}", numbers[i] + 1);
    field.querySelector("input").value = "";
  });
  show("card", false);
  show("wrong", false);
  show("check");
  at("check").querySelector("input").focus();
}

function check(event) {
  event.preventDefault();
  const right = [...at("check").querySelectorAll(".field")].every((field) =>
    read(field.querySelector("input").value).join("") === words[field.dataset.number]);
  if (right) at("save").submit();
  else show("wrong");
}
