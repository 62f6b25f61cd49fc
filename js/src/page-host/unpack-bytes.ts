// Exported page: bytes inside JSON.
// In: JSON in which bytes are `{"$bytes": base64}`. Out: the same with a DataView for each, as a kernel sends them.

export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  const packed = (value as { $bytes?: unknown }).$bytes;
  if (typeof packed === "string") return bytes(packed);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}

function bytes(base64: string): DataView {
  const text = atob(base64);
  const array = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) array[at] = text.charCodeAt(at);
  return new DataView(array.buffer);
}
