// What is sent to the service: pasted text, files, loose parts of a Shapefile put together.
"use strict";

// The parts of a Shapefile that the service needs or reads; others are left behind.
const SHAPE_PARTS = ["shp", "shx", "dbf", "prj", "cpg"];

function asGeometry(text) {
  // Lines of two numbers (a leading point number is skipped) are a ring; anything else is sent as it is.
  const lines = text.split(/\r?\n/).map((l) => l.trim()).filter(Boolean);
  const points = lines.map((l) => l.split(/[\s,;，；]+/).filter(Boolean));
  const numeric = points.every((p) => (p.length === 2 || p.length === 3) && p.slice(-2).every((v) => v !== "" && isFinite(v)));
  if (lines.length < 3 || !numeric) return text;
  const ring = points.map((p) => p.slice(-2).join(" "));
  if (ring[0] !== ring[ring.length - 1]) ring.push(ring[0]);
  return `POLYGON((${ring.join(", ")}))`;
}

function textItem(text) {
  const kind = text.startsWith("{") || text.startsWith("[") ? "application/geo+json" : "text/plain;charset=utf-8";
  const sent = asGeometry(text);
  // Line numbers of an answer count in what was sent.
  return { name: "粘贴的坐标", request: { body: sent, headers: { "Content-Type": kind } }, text: async () => sent };
}

function drawnItem(geometry, name) {
  const feature = { type: "Feature", properties: { name: name || "手绘地块", drawn: true }, geometry };
  return { name: feature.properties.name, drawn: true, request: { body: JSON.stringify(feature), headers: { "Content-Type": "application/geo+json" } }, text: async () => "" };
}

function fileItem(file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return { name: file.name, request: { body: form }, text: () => readText(file) };
}

// The text of a file in the encoding it is in; empty for what is no text or too long to look at.
async function readText(file) {
  if (file.size > 2e6) return "";
  const bytes = await file.arrayBuffer();
  for (const encoding of ["utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      return text.includes("\0") ? "" : text;
    } catch {
      continue;
    }
  }
  return "";
}

// Files as items: the parts of each Shapefile become one zip, everything else stays as it is.
async function fileItems(files) {
  const sets = new Map();
  const single = [];
  for (const file of files) {
    const [, stem, end] = /^(.*)\.([^.]*)$/.exec(file.name) ?? [null, file.name, ""];
    const part = SHAPE_PARTS.includes(end.toLowerCase());
    if (part) sets.set(stem.toLowerCase(), [...(sets.get(stem.toLowerCase()) ?? []), file]);
    else if (!isCompanion(file, files)) single.push(file);
  }
  const zips = [];
  for (const parts of sets.values()) {
    const main = parts.find((f) => /\.shp$/i.test(f.name));
    // Without the outlines there is nothing to put together; the service says what is missing.
    if (main) zips.push(new File([await zipped(parts)], main.name.replace(/\.shp$/i, ".zip")));
    else single.push(...parts);
  }
  return [...zips, ...single].map(fileItem);
}

// What a program leaves beside a Shapefile: an index, a description.
function isCompanion(file, files) {
  const found = /^(.*?)\.(sbn|sbx|qix|qpj|qmd|shp\.xml|fbn|fbx|ain|aih|ixs|mxs|atx)$/i.exec(file.name);
  return Boolean(found) && files.some((f) => f.name.toLowerCase() === `${found[1].toLowerCase()}.shp`);
}

// --- a zip without compression (APPNOTE 6.3.3: local headers, central directory, end record) -----

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function record(signature, ...fields) {
  const size = 4 + fields.reduce((sum, [bytes]) => sum + bytes, 0);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return view.buffer;
}

async function zipped(files) {
  const NEW_YEAR_1980 = 0x0021;
  const UTF8_NAME = 0x0800;
  const body = [];
  const directory = [];
  let offset = 0;
  let length = 0;
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const name = new TextEncoder().encode(file.name);
    const common = [[2, 20], [2, UTF8_NAME], [2, 0], [2, 0], [2, NEW_YEAR_1980], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
    const head = record(0x04034b50, ...common);
    const entry = record(0x02014b50, [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    body.push(head, name, bytes);
    directory.push(entry, name);
    offset += head.byteLength + name.length + bytes.length;
    length += entry.byteLength + name.length;
  }
  const end = record(0x06054b50, [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, offset], [2, 0]);
  return new Blob([...body, ...directory, end], { type: "application/zip" });
}
