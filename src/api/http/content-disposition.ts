/** Makes browsers save the answer under its name; names beyond plain ASCII in the form of RFC 5987. */
export function contentDisposition(name: string): string {
  // Quotes and backslashes could be escaped, but not every client undoes that.
  return /^[\x20-\x7e]*$/.test(name) && !/["\\%]/.test(name)
    ? `attachment; filename="${name}"`
    : `attachment; filename*=utf-8''${percentEncoded(name)}`;
}

/** `encodeURIComponent`, and the characters it leaves that the header does not allow. */
function percentEncoded(name: string): string {
  // A name that is not valid text cannot be encoded: its broken halves become the replacement character.
  return encodeURIComponent(Buffer.from(name).toString()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
