// ARC by mailauth.
//   arc.mjs verify DNS_ADDRESS:PORT FILE                           its verdict and comment
//   arc.mjs seal DNS_ADDRESS:PORT FILE HOST DOMAIN SELECTOR KEY    the message with its fields on top
import fs from 'node:fs';
import dns from 'node:dns';
import mailauth from 'mailauth/lib/mailauth.js';

const [order, server, file, host, signingDomain, selector, key] = process.argv.slice(2);
const dnsClient = new dns.promises.Resolver({ timeout: 5000 });
dnsClient.setServers([server]);
const message = fs.readFileSync(file);
const options = {
  mta: host || 'mx.example',
  ip: '127.0.0.1',
  helo: 'mx.example',
  sender: 'ann@d1.example',
  disableDmarc: true,
  disableBimi: true,
  resolver: (name, type) => dnsClient.resolve(name, type),
};
if (order === 'seal') options.seal = { signingDomain, selector, privateKey: fs.readFileSync(key) };
const result = await mailauth.authenticate(message, options);
if (order === 'verify') console.log(result.arc.status.result, result.arc.status.comment || '');
else process.stdout.write(Buffer.concat([Buffer.from(result.headers), message]));
