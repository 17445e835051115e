// Hands one message to a server as a mail program does: TLS, a password, a transcript of the talk.
#pragma once

#include <string>
#include <vector>

#include "app/mail/transcript_stream.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/net/loop.h"
#include "services/delivery/connection.h"
#include "services/delivery/options.h"
#include "values/mail/address.h"

namespace tapal::app {

struct Submission {
  std::string host;  // the name to verify
  Endpoint server;
  delivery::TlsMode tls = delivery::TlsMode::implicit;
  enum class Certificate : std::uint8_t { must_hold, any } certificate = Certificate::must_hold;
  std::string trusted_ca_file;  // empty: the system's
  std::string user;
  std::string password;
  delivery::Terms::Password password_kind = delivery::Terms::Password::of_user;
  mail::Address from;
  std::vector<mail::Address> to;
  std::string message;  // whole, CRLF lines
  TranscriptStream::Show show;
};

struct Submitted {
  std::string reply;  // the server's last word: "250 2.0.0 queued as 01..."
  std::string tls;    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
};

// Every recipient taken, or an Error with what went wrong.
Task<Result<Submitted>> submit(NetLoop& loop, Submission submission);

// A short text with Date, Message-ID and everything else a message needs; with an attachment when
// `file_name` is not empty.
struct NewMessage {
  mail::Address from;
  mail::Address to;
  std::string subject;  // any UTF-8
  std::string text;
  std::string file_name;
  std::string file_bytes;
};
std::string compose_message(const NewMessage& message);

}  // namespace tapal::app
