/**
 * Why there is no TLS with somebody, as a clause that says what to do; undefined when it is something else.
 * @param code of the error, as OpenSSL and Node name it
 * @param option that says where it is
 */
export function certificateTrouble(code: string | undefined, option: string): string | undefined {
  if (code === undefined) return undefined;
  if (unvouched.has(code))
    return 'nobody who is trusted here vouches for its certificate; name a file with the certificate of its authority in BROKER_CA';
  return clauses(option)[code];
}

const unvouched: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

function clauses(option: string): Readonly<Record<string, string>> {
  const noTls = `it does not speak TLS there, so the address in ${option} begins with http://`;
  return {
    CERT_HAS_EXPIRED: 'its certificate has expired; renew TLS_CERT there',
    CERT_NOT_YET_VALID: 'its certificate is not valid yet, or the clock of this machine is late',
    ERR_TLS_CERT_ALTNAME_INVALID: `its certificate is for another name; let ${option} be an address that it names`,
    ERR_SSL_WRONG_VERSION_NUMBER: noTls,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  };
}
