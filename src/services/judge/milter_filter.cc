#include "services/judge/milter_filter.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::judge {
namespace {

constexpr std::size_t read_bytes = 16UL * 1024;

// One message's dialogue, from the options to QUIT.
class Dialogue {
 public:
  Dialogue(Loop& loop, Stream& stream, const Mail& mail, milter::Session session)
      : loop_(loop), stream_(stream), mail_(mail), session_(std::move(session)) {}

  Task<Result<milter::Outcome>> play(milter::Message message) {
    message_ = std::move(message);
    for (;;) {
      while (auto action = session_.next_action()) {
        const bool over = co_await perform(*std::move(action));
        if (over) co_return std::move(result_);
      }
      co_await read();
    }
  }

 private:
  // True when the session is over.
  Task<bool> perform(milter::Action action) {
    if (auto* send = std::get_if<milter::Send>(&action)) {
      const auto written = co_await stream_.write(send->bytes, session_.deadline());
      if (!written) session_.on_closed(written.error().what);
    } else if (auto* want = std::get_if<milter::WantBody>(&action)) {
      piece_.resize(want->bytes_max);
      const auto count = mail_.body->read(want->offset, piece_);
      if (count)
        session_.on_body({piece_.data(), *count}, loop_.now());
      else
        session_.on_closed(count.error().what);
    } else if (std::holds_alternative<milter::Ready>(action)) {
      if (auto message = std::exchange(message_, {}))
        session_.start(*std::move(message), loop_.now());
      else
        session_.quit();
    } else if (auto* done = std::get_if<milter::Done>(&action)) {
      result_ = std::move(done->outcome);
    } else if (auto* failed = std::get_if<milter::Failed>(&action)) {
      if (!result_) result_ = fail(Code::internal, std::move(failed->what));
      co_return true;
    }
    co_return std::holds_alternative<milter::Close>(action);
  }

  Task<void> read() {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): read() fills it
    std::array<char, read_bytes> buffer;
    const auto count = co_await stream_.read(buffer, session_.deadline());
    if (count)
      session_.on_bytes({buffer.data(), *count}, loop_.now());
    else if (count.error().code == Code::timed_out)
      session_.on_time(loop_.now());
    else
      session_.on_closed(count.error().what);
  }

  Loop& loop_;
  Stream& stream_;
  const Mail& mail_;
  milter::Session session_;
  std::optional<milter::Message> message_;
  std::vector<char> piece_;
  Result<milter::Outcome> result_ = fail(Code::internal, "it says nothing");
};

}  // namespace

std::optional<MilterPlace> MilterPlace::from_text(std::string_view text) {
  constexpr std::string_view unix = "unix:";
  constexpr std::string_view inet = "inet:";
  if (text.starts_with(unix)) {
    text.remove_prefix(unix.size());
    if (!text.starts_with('/') || text.size() == 1) return {};
    return MilterPlace{std::string(text), {}};
  }
  if (text.starts_with(inet)) text.remove_prefix(inet.size());
  const auto endpoint = Endpoint::from_text(text);
  if (!endpoint || endpoint->port == 0) return {};
  return MilterPlace{{}, *endpoint};
}

std::string MilterPlace::text() const {
  return socket.empty() ? endpoint.text() : "unix:" + socket;
}

milter::Message milter_message(const Mail& mail, const std::string& host_name) {
  milter::Message message;
  const auto literal = fmt::format("[{}]", mail.peer.text());
  const auto& name = mail.peer_name.empty() ? literal : mail.peer_name;
  message.peer_name = name;
  message.peer = {mail.peer, mail.peer_port};
  message.helo = mail.helo;
  message.return_path = mail.return_path;
  message.recipients = mail.recipients;
  message.header = mail.header;
  auto& macros = message.macros;
  macros = {{"j", host_name},
            {"v", "tapal"},
            {"i", mail.id.text()},
            {"_", mail.peer_name.empty() ? literal : fmt::format("{} {}", name, literal)},
            {"{daemon_name}", host_name},
            {"{client_addr}", mail.peer.text()},
            {"{client_name}", mail.peer_name.empty() ? "unknown" : mail.peer_name},
            {"{client_port}", std::to_string(mail.peer_port)},
            {"{mail_addr}", mail.return_path ? mail.return_path->text() : ""}};
  if (!mail.user.empty()) macros["{auth_authen}"] = mail.user;
  if (!mail.tls_version.empty()) macros["{tls_version}"] = mail.tls_version;
  if (!mail.tls_cipher.empty()) macros["{cipher}"] = mail.tls_cipher;
  return message;
}

Opinion milter_opinion(milter::Outcome outcome) {
  Opinion opinion;
  switch (outcome.decision) {
    case milter::Decision::accept: break;
    case milter::Decision::discard: opinion.action = Action::discard; break;
    case milter::Decision::defer: opinion.action = Action::defer; break;
    case milter::Decision::refuse: opinion.action = Action::refuse; break;
  }
  if (outcome.quarantine && opinion.action == Action::accept) opinion.action = Action::keep_aside;
  opinion.reason =
      outcome.quarantine ? text::printable(*outcome.quarantine) : smtp::one_line(outcome.reply);
  opinion.reply = std::move(outcome.reply);
  opinion.edits = std::move(outcome.edits);
  opinion.body = std::move(outcome.body);
  opinion.added_recipients = std::move(outcome.added_recipients);
  opinion.removed_recipients = std::move(outcome.removed_recipients);
  opinion.return_path = std::move(outcome.return_path);
  return opinion;
}

MilterFilter::MilterFilter(
    MilterPlace place, milter::Options options, std::string host_name, Loop& loop, Network& network)
    : place_(std::move(place)),
      name_("milter " + place_.text()),
      options_(options),
      host_name_(std::move(host_name)),
      loop_(loop),
      network_(network) {}

Task<Result<std::unique_ptr<Stream>>> MilterFilter::connect() {
  const auto deadline = loop_.now() + options_.answer_time_max;
  if (place_.socket.empty())
    co_return co_await network_.connect(place_.endpoint, std::nullopt, deadline);
  co_return co_await network_.connect_unix(place_.socket, deadline);
}

Task<Result<Opinion>> MilterFilter::look_at(const Mail& mail) {
  TAPAL_CO_TRY(const auto stream, co_await connect());
  Dialogue dialogue(loop_, *stream, mail, milter::Session(options_, loop_.now()));
  auto outcome = co_await dialogue.play(milter_message(mail, host_name_));
  stream->close();
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return milter_opinion(*std::move(outcome));
}

}  // namespace tapal::judge
