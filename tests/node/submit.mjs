// Submits one message with nodemailer. One argument: JSON {host, port, secure, ca, user, pass, message}.
import fs from 'node:fs';
import nodemailer from 'nodemailer';

const job = JSON.parse(process.argv[2]);
const transport = nodemailer.createTransport({
  host: job.host,
  port: job.port,
  secure: job.secure,
  requireTLS: !job.secure,
  tls: { ca: fs.readFileSync(job.ca), servername: job.servername },
  auth: { user: job.user, pass: job.pass },
  authMethod: job.method,
});
try {
  console.log((await transport.sendMail(job.message)).response);
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
