// What a receiver that uses mailauth finds: node authenticate.mjs FILE DNS-ADDRESS DNS-PORT IP HELO RETURN-PATH
import { readFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { authenticate } from "mailauth";

const [file, address, port, ip, helo, sender] = process.argv.slice(2);
const dns = new Resolver({ timeout: 3000, tries: 2 });
dns.setServers([`${address}:${port}`]);
const found = await authenticate(readFileSync(file), {
  ip, helo, sender, mta: "mx.judge.example", minBitLength: 1024, disableBimi: true,
  resolver: (name, type) => dns.resolve(name, type),
});
console.log(JSON.stringify({
  spf: found.spf.status.result,
  dkim: found.dkim.results.map((one) => one.status.result),
  arc: found.arc.status.result,
  dmarc: found.dmarc.status.result,
}));
