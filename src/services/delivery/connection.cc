#include "services/delivery/connection.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "protocols/sasl/client_exchange.h"
#include "values/text/base64.h"

namespace tapal::delivery {

namespace client = smtp::client;

namespace {
constexpr std::size_t read_bytes = 4096;
}  // namespace

struct Connection::Sasl {
  sasl::ClientExchange exchange;
};

Connection::Connection(Loop& loop,
                       Host host,
                       std::unique_ptr<Stream> stream,
                       Terms terms,
                       TlsClient& tls,
                       Random& random)
    : loop_(loop),
      host_(std::move(host)),
      stream_(std::move(stream)),
      terms_(std::move(terms)),
      tls_(tls),
      random_(random),
      session_(terms_.session, loop.now()) {}

Connection::~Connection() { stream_->close(); }

Task<Connection::Progress> Connection::open() {
  if (terms_.session.tls == smtp::ClientTls::implicit) co_await start_tls();
  co_return co_await run(Until::ready);
}

Task<Connection::Progress> Connection::send(client::Transaction transaction,
                                            BodyPtr body,
                                            BeforeEnd before_end) {
  body_ = std::move(body);
  before_end_ = std::move(before_end);
  ++messages_sent_;
  session_.start(std::move(transaction), loop_.now());
  auto progress = co_await run(Until::ready);
  body_.reset();
  before_end_ = nullptr;
  co_return progress;
}

Task<void> Connection::quit() {
  session_.quit(loop_.now());
  static_cast<void>(co_await run(Until::closed));
  stream_->close();
}

Task<Connection::Progress> Connection::run(Until until) {
  Progress progress;
  for (;;) {
    while (auto action = session_.next_action()) {
      const bool over = co_await perform(*std::move(action), progress);
      if (over) co_return progress;
      if (progress.ready && until == Until::ready) co_return progress;
    }
    if (!session_.wants_bytes()) co_return progress;
    co_await read();
  }
}

// True when the session is over.
Task<bool> Connection::perform(client::Action action, Progress& progress) {
  if (auto* send = std::get_if<client::Send>(&action)) {
    const auto written = co_await stream_->write(send->bytes, session_.deadline());
    if (written) {
      session_.on_sent(loop_.now());
    } else {
      co_await read();  // what the peer said before it went may be the reason
      session_.on_closed(written.error().what);
    }
  } else if (std::holds_alternative<client::StartTls>(action)) {
    co_await start_tls();
  } else if (auto* ask = std::get_if<client::AskAuthentication>(&action)) {
    authenticate(*ask);
  } else if (auto* challenge = std::get_if<client::AuthChallenge>(&action)) {
    if (auto response = sasl_->exchange.on_challenge(challenge->bytes))
      session_.on_auth_response(*response);
    else
      session_.on_auth_given_up(response.error().what);
  } else if (std::holds_alternative<client::AuthAccepted>(action)) {
    if (auto proved = sasl_->exchange.on_success())
      session_.on_auth_verified();
    else
      session_.on_auth_given_up(proved.error().what);
  } else if (auto* want = std::get_if<client::WantBody>(&action)) {
    give_body(*want);
  } else if (auto* done = std::get_if<client::TransactionDone>(&action)) {
    progress.done = std::move(*done);
  } else if (auto* ready = std::get_if<client::Ready>(&action)) {
    progress.ready = true;
    reusable_ = ready->may_reuse;
  } else if (auto* failed = std::get_if<client::SessionFailed>(&action)) {
    progress.failed = std::move(*failed);
    reusable_ = false;
  } else {
    reusable_ = false;
    co_return true;
  }
  co_return false;
}

Task<void> Connection::start_tls() {
  const auto state = co_await stream_->connect_tls(tls_, terms_.tls, session_.deadline());
  if (!state) {
    session_.on_tls_failed(state.error().what);
    co_return;
  }
  tls_text_ = state->version + " " + state->cipher;
  if (terms_.session.tls != smtp::ClientTls::implicit) session_.on_tls_started(loop_.now());
}

void Connection::authenticate(const client::AskAuthentication& ask) {
  const sasl::ChannelBindings bindings{
      stream_->channel_binding(ChannelBinding::tls_exporter).value_or(""),
      stream_->channel_binding(ChannelBinding::tls_server_end_point).value_or("")};
  auto mechanisms = ask.mechanisms;
  if (terms_.kind == Terms::Password::of_application)
    std::erase_if(mechanisms, [](const auto& name) { return name.starts_with("SCRAM-"); });
  const auto mechanism = sasl::choose_mechanism(mechanisms, bindings);
  if (!mechanism) return session_.on_auth_given_up("the server offers no mechanism of ours");
  sasl::ClientExchangeOptions options;
  options.nonce = text::to_base64(random_.bytes(sasl::nonce_bytes_min));
  options.bindings = bindings;
  const auto plus = sasl::name_of(sasl::Mechanism::scram_sha_256_plus);
  options.plus_offered = std::ranges::find(ask.mechanisms, plus) != ask.mechanisms.end();
  sasl_ = std::make_unique<Sasl>(
      sasl::ClientExchange(*mechanism, {terms_.user, terms_.password}, std::move(options)));
  const auto initial = sasl_->exchange.start();
  if (!initial) return session_.on_auth_given_up(initial.error().what);
  session_.on_auth_start(sasl::name_of(*mechanism), *initial);
}

void Connection::give_body(const client::WantBody& want) {
  chunk_.resize(want.bytes_max);
  const auto count = body_->read(want.offset, chunk_);
  if (!count) return session_.on_body_failed(count.error().what);
  if (before_end_ && want.offset + *count >= body_->size()) before_end_();
  session_.on_body(std::string_view(chunk_).substr(0, *count));
}

Task<void> Connection::read() {
  if (const auto ready = co_await stream_->readable(session_.deadline()); !ready)
    co_return on_read_error(ready.error());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): read() fills it
  std::array<char, read_bytes> buffer;
  const auto count = co_await stream_->read(buffer, session_.deadline());
  if (!count) co_return on_read_error(count.error());
  session_.on_bytes({buffer.data(), *count}, loop_.now());
}

void Connection::on_read_error(const Error& error) {
  if (error.code == Code::timed_out)
    session_.on_time(loop_.now());
  else
    session_.on_closed(error.what);
}

}  // namespace tapal::delivery
