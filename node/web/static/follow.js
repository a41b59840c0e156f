// A reservation's own page: printing, and opening the shop's answer with the key that stands behind
// the # of the address, which no server ever sees.

import {decode, forResident, open} from "./sealing.js";

sessionStorage.removeItem("echoppe-draft");

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  document.getElementById("address").textContent = location.href; // with what stands behind #
  print.addEventListener("click", () => window.print());
}

// On paper everything is read, the terms of an order too.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});

const answer = document.getElementById("answer");
if (answer?.dataset.answer) read(answer.dataset);

async function read(said) {
  answer.hidden = false;
  try {
    const [d, x] = location.hash.slice(1).split(".");
    const key = await crypto.subtle.importKey(
      "jwk", {kty: "OKP", crv: "X25519", d, x}, "X25519", false, ["deriveBits"]);
    const info = forResident(said.shop, said.reservation);
    document.getElementById("answer-text").textContent = await open(key, decode(x), info, decode(said.answer));
  } catch {
    document.getElementById("answer-unread").hidden = false;
  }
}

for (const link of document.querySelectorAll("a[data-own]")) link.hash = location.hash;

// Buttons keep the address whole: what stands behind # would be lost with the form.
for (const form of document.forms) if (location.hash) form.action = location.pathname + location.hash;
