// What mailauth makes of results of SPF and DKIM: dmarc.mjs DNS_ADDRESS:PORT CASES
// CASES is JSON, a list of {from, spf: [domain], dkim: [domain]}; prints a list of {result, policy}.
import dns from 'node:dns';
import verifying from 'mailauth/lib/dmarc/index.js';

const resolver = new dns.promises.Resolver({ timeout: 5000 });
resolver.setServers([process.argv[2]]);
const answers = [];
for (const one of JSON.parse(process.argv[3])) {
  const found = await verifying.dmarc({
    headerFrom: [`ann@${one.from}`],
    spfDomains: one.spf,
    dkimDomains: one.dkim,
    resolver: (name, type) => resolver.resolve(name, type),
  });
  answers.push({ result: found.status.result, policy: found.policy || 'none' });
}
console.log(JSON.stringify(answers));
