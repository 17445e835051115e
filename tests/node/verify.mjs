// Verifies a message's DKIM signatures with mailauth: verify.mjs DNS_ADDRESS:PORT FILE
// One line a signature: result, domain, algorithm.
import fs from 'node:fs';
import dns from 'node:dns';
import verifying from 'mailauth/lib/dkim/verify.js';

const resolver = new dns.promises.Resolver({ timeout: 5000 });
resolver.setServers([process.argv[2]]);
const result = await verifying.dkimVerify(fs.readFileSync(process.argv[3]), {
  resolver: (name, type) => resolver.resolve(name, type),
});
for (const one of result.results)
  console.log(one.status.result, one.signingDomain, one.algo, one.status.comment || '');
