// A market node of another make, on the Fedify library: an Application `instance` that nodes follow,
// and an Organization `stand` that sells. It verifies all that it is sent by the library's own code.
// usage: node market.mjs PORT CONTROL_PORT
// One line of JSON on standard output says that it is ready. The control port takes JSON:
//   POST /find {target}            looks an object or an actor up, as the library does
//   POST /webfinger {resource}     asks for an account
//   POST /send {from, url, activity, scheme}   signs and posts; scheme is cavage or rfc9421
//   POST /serve {path, document}   puts a document at a path of its own
//   POST /prove {from, activity}   the activity with a proof by the actor's Ed25519 key
//   POST /proves {document, kind}  whether the library accepts the proof on a document
//   POST /mode {refuse}            answers 401 to signatures of one scheme
//   POST /received {}              everything that came to its inboxes, and what it thinks of it
import { AsyncLocalStorage } from "node:async_hooks";
import http from "node:http";
import * as fedify from "@fedify/fedify";
import * as vocab from "@fedify/vocab";

const [port, controlPort] = process.argv.slice(2).map(Number);
const origin = `http://127.0.0.1:${port}`;
const specs = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };
const types = { instance: vocab.Application, stand: vocab.Organization };
const keys = {};
for (const name of Object.keys(types)) {
  keys[name] = [
    await fedify.generateCryptoKeyPair("RSASSA-PKCS1-v1_5"),
    await fedify.generateCryptoKeyPair("Ed25519"),
  ];
}

// acct: look-ups always say https, and nothing on the loopback speaks that.
const dial = globalThis.fetch;
globalThis.fetch = (input, options) => {
  const request = new Request(input, options);
  const url = new URL(request.url);
  if (url.protocol !== "https:" || url.hostname !== "127.0.0.1") return dial(request);
  url.protocol = "http:";
  return dial(new Request(url, { headers: request.headers, redirect: request.redirect }));
};

const open = fedify.getDocumentLoader({ allowPrivateAddress: true });
const loaders = { documentLoader: open, contextLoader: open };
const received = [];
const served = new Map();
const current = new AsyncLocalStorage();
let refused = null;

const federation = fedify.createFederation({
  kv: new fedify.MemoryKvStore(), allowPrivateAddress: true, origin,
  userAgent: { software: "echoppe-interop-market/1.0", url: origin },
});
federation
  .setActorDispatcher("/users/{identifier}", async (context, name) => {
    if (!types[name]) return null;
    const pairs = await context.getActorKeyPairs(name);
    return new types[name]({
      id: context.getActorUri(name), preferredUsername: name, name: `Marché ${name}`,
      inbox: context.getInboxUri(name), outbox: context.getOutboxUri(name),
      endpoints: new vocab.Endpoints({ sharedInbox: context.getInboxUri() }),
      url: new URL(`/@${name}`, origin),
      publicKey: pairs[0].cryptographicKey, assertionMethods: pairs.map((one) => one.multikey),
    });
  })
  .setKeyPairsDispatcher((_, name) => keys[name] ?? []);
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "echoppe-interop-market", version: "1.0.0" }, protocols: ["activitypub"],
  services: { inbound: [], outbound: [] }, openRegistrations: false,
  usage: { users: {}, localPosts: 0, localComments: 0 },
}));
const heard = () => { current.getStore().accepted = true; };
federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "instance" }))
  .on(vocab.Follow, async (context, follow) => {
    heard();
    const followed = context.parseUri(follow.objectId);
    if (followed?.type !== "actor") return;
    const accept = new vocab.Accept({
      id: new URL(`${origin}/users/${followed.identifier}#accepts/${received.length}`),
      actor: follow.objectId, object: follow, to: follow.actorId,
    });
    await context.sendActivity(followed, await follow.getActor(context), accept);
  })
  .on(vocab.Activity, heard);

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
};
const as = (answer, status, document, type = "application/json") =>
  answer.writeHead(status, { "content-type": type }).end(JSON.stringify(document));

async function take(request, body, answer) {
  const scheme = request.headers.has("signature-input") ? "rfc9421" : "cavage";
  const seen = { scheme, accepted: false, activity: JSON.parse(body.toString("utf8")) };
  const verdict = await fedify.verifyRequestDetailed(request.clone(), loaders);
  seen.signed = verdict.verified;
  received.push(seen);
  if (scheme === refused) {
    seen.status = 401;
    return as(answer, 401, {});
  }
  const done = await current.run(seen, () => federation.fetch(request, { contextData: null }));
  seen.status = done.status;
  await pass(done, answer);
}
const pass = async (done, answer) =>
  answer.writeHead(done.status, Object.fromEntries(done.headers)).end(
    Buffer.from(await done.arrayBuffer()));

http.createServer(async (asked, answer) => {
  const body = await read(asked);
  const url = new URL(asked.url, `http://${asked.headers.host}`);
  const post = asked.method === "POST";
  const request = new Request(url, {
    method: asked.method, headers: asked.headers, body: post ? body : undefined,
  });
  const document = served.get(url.pathname);
  if (document && !post) return as(answer, 200, document, "application/activity+json");
  if (post) return take(request, body, answer);
  return pass(await federation.fetch(request, { contextData: null }), answer);
}).listen(port, "127.0.0.1");

const context = federation.createContext(new URL(origin), null);
const calls = {
  find: async ({ target }) => {
    const documentLoader = await context.getDocumentLoader({ identifier: "instance" });
    const found = await context.lookupObject(target, { documentLoader });
    return found && { type: found.constructor.name, document: await found.toJsonLd(loaders) };
  },
  webfinger: ({ resource }) => context.lookupWebFinger(resource),
  send: async ({ from, url, activity, scheme }) => {
    const plain = new Request(url, {
      method: "POST", body: JSON.stringify(activity),
      headers: { "content-type": "application/activity+json", accept: "application/activity+json" },
    });
    const key = new URL(`${origin}/users/${from}#main-key`);
    const options = { spec: specs[scheme] };
    const signed = await fedify.signRequest(plain, keys[from][0].privateKey, key, options);
    return { status: (await dial(signed)).status };
  },
  serve: ({ path, document }) => { served.set(path, document); return {}; },
  prove: async ({ from, activity }) => {
    const pairs = await context.getActorKeyPairs(from);
    const pair = pairs.find((one) => one.privateKey.algorithm.name === "Ed25519");
    const made = await vocab.Activity.fromJsonLd(activity, loaders);
    const signed = await fedify.signObject(made, pair.privateKey, pair.multikey.id, loaders);
    return signed.toJsonLd({ ...loaders, format: "compact" });
  },
  proves: async ({ document, kind }) => ({
    proof: Boolean(await fedify.verifyObject(vocab[kind], document, loaders)),
  }),
  mode: ({ refuse }) => { refused = refuse; return {}; },
  received: () => received,
};
http.createServer(async (asked, answer) => {
  try {
    const details = JSON.parse((await read(asked)).toString("utf8") || "{}");
    as(answer, 200, (await calls[asked.url.slice(1)](details)) ?? null);
  } catch (error) {
    as(answer, 500, { error: String(error?.stack ?? error) });
  }
}).listen(controlPort, "127.0.0.1", () => console.log(JSON.stringify({ ready: origin })));
