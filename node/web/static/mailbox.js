// One enquiry of a shop's mailbox: opens it, and what was answered, with the keys of this device.

import {decode, forEnquiry, open} from "./sealing.js";
import {kept} from "./vault.js";

const page = document.getElementById("enquiry").dataset;

begin();

async function begin() {
  const held = globalThis.indexedDB && globalThis.crypto?.subtle ? await kept(page.shop) : null;
  for (const one of document.querySelectorAll("[data-sealed]")) await read(one, held);
}

async function read(one, held) {
  const said = one.dataset;
  const mine = held?.sealing[said.key];
  if (!mine) return;
  const show = (name) => {
    one.querySelector(".locked").hidden = true;
    one.querySelector(`.${name}`).hidden = false;
  };
  try {
    const info = forEnquiry(page.shop, said.key, said.uri);
    const words = await open(mine.key, mine.public, info, decode(said.sealed));
    one.querySelector(".opened").textContent = words;
    show("opened");
  } catch {
    show("unreadable");
  }
}
