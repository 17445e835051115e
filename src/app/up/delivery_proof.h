// The proof that mail works: a message is handed to the running server as a mail program, or as a
// stranger, would, and followed until another server has it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "values/mail/address.h"

namespace tapal::app {

struct ProofOptions {
  mail::Address user;                  // of ours: writes the first message
  mail::Address outside;               // of others: gets it
  mail::Address inside;                // of ours: what a stranger writes to
  std::string hostname;                // of the server
  std::string dns_server;              // as --dns-server has it; empty: the system's
  std::chrono::seconds patience{120};  // for a message's end
};

// One message, from its submission to its end.
struct Proof {
  std::string queue_id;
  bool is_delivered = false;
  std::string relay;          // "mx.example.net [2001:db8::25]:25"
  std::string submitted_tls;  // "TLSv1.3 TLS_AES_256_GCM_SHA384"
  std::string relayed_tls;    // empty: in clear
  std::string reply;          // the last word about it; where nothing came: what is known
  std::string spf;            // as our own server found them; empty for what our user sent
  std::string dkim;
  std::string dmarc;
};

// `user` logs in with a password made for this and taken back at once, at the server's public
// address and with its certificate checked, and writes to `outside`.
Result<Proof> prove_sending(const CommonOptions& common, const ProofOptions& options);

// A message signed with our key comes to the server that the domain's MX names, as a stranger's
// does, for `inside`.
Result<Proof> prove_receiving(const CommonOptions& common, const ProofOptions& options);

}  // namespace tapal::app
