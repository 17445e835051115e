// What looks at a message before it is accepted, and what is said of it: the terms that DNS lists,
// the greylist, milters, rspamd and hooks share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/queue_id.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/body.h"
#include "protocols/smtp/reply.h"
#include "values/mail/address.h"
#include "values/mail/header_edit.h"

namespace tapal::judge {

inline constexpr std::size_t reply_bytes_max = 400;  // of a program's words in a reply of ours

// A message at the end of its data, not yet accepted. The whole of it is header + CRLF + body.
struct Mail {
  QueueId id;
  IpAddress peer;
  std::uint16_t peer_port = 0;
  std::string peer_name;  // by reverse DNS and back again; empty: none
  std::string helo;
  std::optional<mail::Address> return_path;
  std::vector<mail::Address> recipients;
  std::string user;         // who logged in; empty: nobody
  std::string tls_version;  // "TLSv1.3"; empty: it came in clear
  std::string tls_cipher;   // "TLS_AES_256_GCM_SHA384"
  std::string spf_domain;   // for which SPF says pass; empty: for none
  std::string header;       // CRLF lines; without the blank line and our own trace fields
  BodyPtr body;             // what follows the blank line; never null
};

// In order of weight. A message to be kept aside is spam by the look of it: it may be held, or
// marked and kept for its recipients here, but it goes to nobody else.
enum class Action : std::uint8_t { accept, keep_aside, discard, defer, refuse };
std::string_view action_text(Action action);  // "keep aside"

// What one judge thinks.
struct Opinion {
  Action action = Action::accept;
  smtp::Reply reply;   // for defer and refuse
  std::string reason;  // for the log: "score 15.2 of 15: BAYES_SPAM"; may be empty
  double score = 0;    // in the judge's own measure
  std::vector<mail::HeaderEdit> edits;
  std::optional<std::string> body;  // in place of the message's
  std::vector<mail::Address> added_recipients;
  std::vector<mail::Address> removed_recipients;
  std::optional<std::optional<mail::Address>> return_path;  // in place of the message's
};

struct Judge {
  virtual ~Judge() = default;
  virtual std::string_view name() const = 0;  // "rspamd", "milter unix:/run/x.sock"
  // Bounded in time by itself. An Error means that it could not judge: it is down, late or breaks
  // its own rules. `mail` must outlive the task.
  virtual Task<Result<Opinion>> look_at(const Mail& mail) = 0;
};

// What holds when a judge cannot judge.
enum class WhenDown : std::uint8_t { accept, defer };

}  // namespace tapal::judge
