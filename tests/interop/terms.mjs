// Reads documents (a JSON list on standard input) as a strict JSON-LD reader does, by the peer's
// own libraries in the folder given. Says, for each document, which members mean nothing by its
// @context, and which contexts were asked for.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const there = createRequire(`${process.argv[2]}/peer.mjs`);
const load = (name) => import(pathToFileURL(there.resolve(name)).href);
const jsonld = (await load("jsonld")).default;
const { getDocumentLoader } = await load("@fedify/fedify");

const contexts = new Set();
const preloaded = getDocumentLoader();
const documentLoader = (url) => {
  contexts.add(url);
  return preloaded(url);
};

// ActivityStreams gives "_:" and its own name to every member that no context knows.
const unknown = (value, path) =>
  Array.isArray(value)
    ? value.flatMap((one) => unknown(one, path))
    : value === null || typeof value !== "object"
      ? []
      : Object.entries(value).flatMap(([name, inner]) => {
          const here = `${path}/${name.split(/[#/]/).at(-1)}`;
          const types = name === "@type" ? [inner].flat() : [name];
          const meant = types.every((one) => /^@|^(?!_)[^/]+:/.test(one));
          return [...(meant ? [] : [here]), ...unknown(inner, here)];
        });

const lost = [];
for (const document of JSON.parse(await text(process.stdin))) {
  const expanded = await jsonld.expand(document, { documentLoader, safe: true });
  lost.push([...new Set(unknown(expanded, ""))]);
}
console.log(JSON.stringify({ lost, contexts: [...contexts].sort() }));
