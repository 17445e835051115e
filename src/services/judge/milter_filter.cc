#include "services/judge/milter_filter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::judge {
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

std::unique_ptr<MilterConnection> MilterFilter::take_idle(const milter::Message& message) {
  const auto oldest = loop_.now() - idle_time_max;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest; });
  const auto fits = [&message](const Idle& idle) { return idle.connection->may_follow(message); };
  const auto found = std::ranges::find_if(idle_, fits);
  if (found == idle_.end()) return nullptr;
  auto connection = std::move(found->connection);
  idle_.erase(found);
  return connection;
}

void MilterFilter::keep(std::unique_ptr<MilterConnection> connection) {
  if (idle_.size() >= idle_connections_max) idle_.erase(idle_.begin());
  idle_.push_back({std::move(connection), loop_.now()});
}

Task<Result<Opinion>> MilterFilter::look_at(const Mail& mail) {
  auto message = milter_message(mail, host_name_);
  if (auto kept = take_idle(message)) {
    auto outcome = co_await kept->play(message, *mail.body);
    if (outcome) {
      keep(std::move(kept));
      co_return milter_opinion(*std::move(outcome));
    }
    if (outcome.error().code == Code::timed_out) co_return std::unexpected(outcome.error());
    // It was closed while nobody looked: nothing has been judged yet.
  }
  TAPAL_CO_TRY(auto stream, co_await connect());
  auto connection = std::make_unique<MilterConnection>(loop_, std::move(stream), options_);
  auto outcome = co_await connection->play(std::move(message), *mail.body);
  if (!outcome) co_return std::unexpected(outcome.error());
  keep(std::move(connection));
  co_return milter_opinion(*std::move(outcome));
}

}  // namespace tapal::judge
