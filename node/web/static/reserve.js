// A resident's reservation, sealed before it leaves the browser.
//
// The page works without this: then it asks for no personal word at all. What is done here: test
// that sealing works, look whether the shop's keys are its owner's, and only then show the fields.
// They have no name, so nothing but what is sealed can ever be sent.

import {SUITE, decode, encode, fingerprint, forShop, raw, seal, signed, statement, works} from "./sealing.js";

const DRAFT = "echoppe-draft"; // what was typed, kept in this tab alone until it was sent
const form = document.getElementById("reserve");
const words = document.getElementById("words");
const FIELDS = ["nickname", "phone", "mail", "where", "message"];
const way = document.getElementById("way");
const link = encode(crypto.getRandomValues(new Uint8Array(32))); // sent twice, it is one reservation
const show = (id, shown = true) => { document.getElementById(id).hidden = !shown; };

if (form?.dataset.key && SUITE === 1) begin();

async function begin() {
  const said = form.dataset;
  if (!globalThis.crypto?.subtle || !(await works())) return show("true-unable");
  const message = statement(said.shop, said.owner, said.sealing, said.created);
  const owner = decode(said.owner);
  const key = await fingerprint(decode(said.sealing));
  if (key !== said.key || !(await signed(owner, decode(said.signature), message))) {
    return show("true-unable");
  }
  // The owner key that this browser knows of the shop: another one is believed where that one
  // signed it, and where a person who was shown both marks says so.
  const known = localStorage.getItem(`echoppe-key ${said.shop}`);
  const endorsed = known && known !== said.owner && said.endorsement &&
    (await signed(decode(known), decode(said.endorsement), message));
  if (known && known !== said.owner && !endorsed) {
    document.getElementById("mark-before").textContent = await fingerprint(decode(known));
    show("changed");
    document.getElementById("trust").addEventListener("click", () => { show("changed", false); ready(); });
    return;
  }
  ready();
}

function ready() {
  show("words");
  words.disabled = false;
  show("true-sealed");
  show("true-plain", false);
  way.addEventListener("change", askFor);
  restore();
  askFor();
  form.addEventListener("submit", send);
}

/** The one address that is asked for must be there. */
function askFor() {
  for (const one of ["phone", "mail"]) document.getElementById(one).required = way.value === one;
}

async function send(event) {
  event.preventDefault();
  document.getElementById("send").disabled = true; // a second tap
  try {
    const said = form.dataset;
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`echoppe reservation ${link}`));
    const reservation = encode(new Uint8Array(hash).slice(0, 16));
    // The shop's answer is sealed to a key that exists in the address of the next page alone.
    const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
    const {d, x} = await crypto.subtle.exportKey("jwk", pair.privateKey);
    const typed = values();
    const text = JSON.stringify({
      name: typed.nickname,
      way: way.value,
      contact: {phone: typed.phone, mail: typed.mail}[way.value] ?? "",
      where: typed.where,
      message: typed.message,
      agreed: said.agreed, // of an order: what was read before it, as the shop reads it
      reply: encode(await raw(pair.publicKey)),
    });
    const info = forShop(said.shop, said.key, said.listing, reservation);
    form.elements.link.value = link;
    form.elements.key.value = said.key;
    form.elements.sealed.value = encode(await seal(decode(said.sealing), info, text));
    sessionStorage.setItem(DRAFT, JSON.stringify({...typed, way: way.value}));
    localStorage.setItem(`echoppe-key ${said.shop}`, said.owner);
    form.action = `${location.pathname}#${d}.${x}`; // what stands behind # is kept from page to page
    form.submit();
  } catch {
    show("failed");
    document.getElementById("send").disabled = false;
  }
}

const values = () => Object.fromEntries(
  FIELDS.map((name) => [name, document.getElementById(name)?.value.trim() ?? ""]));

/** After an error, what was typed comes back from this tab. */
function restore() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  if (!draft || !document.getElementById("errors")) return sessionStorage.removeItem(DRAFT);
  for (const name of FIELDS) {
    const field = document.getElementById(name);
    if (field) field.value = draft[name];
  }
  way.value = draft.way;
}
