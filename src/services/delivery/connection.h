// One connection to a peer: a stream and the client session on it, from the greeting to QUIT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/task.h"
#include "ports/body.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/stream.h"
#include "protocols/smtp/client_session.h"
#include "services/delivery/destination.h"
#include "services/delivery/options.h"

namespace tapal::delivery {

// How to talk to the peer once connected.
struct Terms {
  smtp::ClientOptions session;
  TlsConnectOptions tls;
  std::string user;  // empty: no AUTH
  std::string password;
  // An application password is known to its server by a hash alone, which SCRAM cannot use.
  enum class Password : std::uint8_t { of_user, of_application } kind = Password::of_user;
};

class Connection {
 public:
  Connection(Loop& loop,
             Host host,
             std::unique_ptr<Stream> stream,
             Terms terms,
             TlsClient& tls,
             Random& random);
  ~Connection();

  // What a step came to: the session is ready for a transaction, or over.
  struct Progress {
    std::optional<smtp::client::TransactionDone> done;
    std::optional<smtp::client::SessionFailed> failed;
    bool ready = false;
  };
  Task<Progress> open();  // greeting, EHLO, TLS, AUTH
  // `before_end` is called when all of the body is there and its end, the final dot, is not sent
  // yet.
  using BeforeEnd = std::function<void()>;
  Task<Progress> send(smtp::client::Transaction transaction,
                      BodyPtr body,
                      BeforeEnd before_end = {});
  Task<void> quit();
  void cut() { stream_->close(); }

  const Host& host() const { return host_; }
  bool is_open() const { return !session_.is_closed(); }
  bool is_reusable() const { return reusable_; }
  std::size_t messages_sent() const { return messages_sent_; }
  bool peer_has_dsn() const { return session_.extensions().has(smtp::Extension::dsn); }
  const std::string& tls_text() const { return tls_text_; }  // "TLSv1.3 CIPHER", empty in clear
  std::string text() const { return host_.text(); }

 private:
  enum class Until : std::uint8_t { ready, closed };
  Task<Progress> run(Until until);
  Task<bool> perform(smtp::client::Action action, Progress& progress);
  Task<void> start_tls();
  void authenticate(const smtp::client::AskAuthentication& ask);
  void give_body(const smtp::client::WantBody& want);
  Task<void> read();
  void on_read_error(const Error& error);

  Loop& loop_;
  Host host_;
  std::unique_ptr<Stream> stream_;
  Terms terms_;
  TlsClient& tls_;
  Random& random_;
  smtp::ClientSession session_;
  struct Sasl;
  std::unique_ptr<Sasl> sasl_;
  BodyPtr body_;
  BeforeEnd before_end_;
  std::string chunk_;
  std::string tls_text_;
  std::size_t messages_sent_ = 0;
  bool reusable_ = true;
};

}  // namespace tapal::delivery
