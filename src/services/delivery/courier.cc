#include "services/delivery/courier.h"

#include <algorithm>
#include <utility>

#include "services/delivery/verdict.h"

namespace tapal::delivery {

namespace client = smtp::client;

namespace {

client::Transaction transaction_of(const Attempt& attempt, const std::vector<std::size_t>& left) {
  client::Transaction transaction;
  transaction.envelope = attempt.envelope;
  transaction.envelope.recipients.clear();
  for (const auto index : left)
    transaction.envelope.recipients.push_back(attempt.envelope.recipients[index]);
  transaction.body_bytes = attempt.body->size();
  transaction.needs.eight_bit = attempt.envelope.body != mail::BodyType::seven_bit;
  transaction.needs.binary = attempt.envelope.body == mail::BodyType::binary_mime;
  transaction.needs.utf8_header = attempt.envelope.smtputf8;
  return transaction;
}

// What a transaction says of the site. 421 closes the session (RFC 5321 section 3.8), a refused
// sender is not about a recipient.
Contact contact_of(const Connection::Progress& progress) {
  if (!progress.done)
    return progress.failed && progress.failed->reply ? Contact::put_off : Contact::no_answer;
  auto best = Contact::none;
  for (const auto& result : progress.done->recipients) {
    if (result.outcome == client::Outcome::lost || result.outcome == client::Outcome::not_tried) {
      if (progress.failed) best = std::max(best, Contact::no_answer);
    } else if (result.reply.code / 100 != 4) {
      return Contact::served;
    } else {
      const bool of_session = result.reply.code == 421 || result.phase == client::Phase::mail;
      best = std::max(best, of_session ? Contact::put_off : Contact::recipient_put_off);
    }
  }
  return best;
}

smtp::ClientTls client_tls(TlsMode mode) {
  switch (mode) {
    case TlsMode::never: return smtp::ClientTls::never;
    case TlsMode::opportunistic: return smtp::ClientTls::opportunistic;
    case TlsMode::required: return smtp::ClientTls::required;
    case TlsMode::implicit: break;
  }
  return smtp::ClientTls::implicit;
}

}  // namespace

// One attempt on its way: which recipients still have no verdict, and what went wrong so far.
struct Courier::Errand {
  Attempt attempt;
  AttemptReport report;
  std::vector<std::size_t> left;  // positions in attempt.indexes without a verdict
  Verdict trouble{queue::Attempted::Result::deferred, {"4.4.1", "no host could be reached", {}}};
  Way way;
  Exit exit;
  ConnectionPool::Holder holder;
  std::size_t messages_per_connection_max = 0;
  bool tls_failed = false;  // the last host's handshake
  bool used_up = false;     // the last connection has sent all it may; another one can go on

  explicit Errand(Attempt given)
      : attempt(std::move(given)),
        holder{attempt.site, attempt.slot, attempt.permit.source, attempt.peers} {
    for (std::size_t i = 0; i < attempt.indexes.size(); ++i) left.push_back(i);
  }
  queue::Attempted& file(std::size_t position, Verdict verdict) {
    report.recipients.push_back(attempted(attempt.indexes[position], std::move(verdict)));
    return report.recipients.back();
  }
  void got_as_far_as(Contact contact) { report.contact = std::max(report.contact, contact); }
  void file_all(const Verdict& verdict) {
    for (const auto position : std::exchange(left, {})) file(position, verdict);
  }
};

Courier::Courier(CourierWorld world)
    : world_(world),
      pool_(world.loop, {world.options.idle_connection, world.options.connections_max}) {}
Courier::~Courier() = default;

void Courier::stop() { pool_.stop(); }
Task<void> Courier::join() { co_await pool_.join(); }

Task<AttemptReport> Courier::deliver(Attempt attempt) {
  Errand errand(std::move(attempt));
  auto way = way_of(world_.options, errand.attempt.envelope.recipients.front());
  if (!way) {
    errand.file_all(verdict_of_handover(way.error()));
    co_return std::move(errand.report);
  }
  errand.way = *std::move(way);
  errand.exit = world_.sources.exit_of(errand.attempt);
  errand.messages_per_connection_max = world_.options.messages_per_connection_max;
  if (const auto most = errand.attempt.permit.messages_per_connection; most != 0)
    errand.messages_per_connection_max = std::min(errand.messages_per_connection_max, most);
  auto idle = pool_.take(errand.holder);
  if (idle && idle->holder == errand.holder) {
    co_await use(std::move(idle->connection), errand);
    idle.reset();
  }
  if (!errand.left.empty()) co_await try_hosts(errand, std::move(idle));
  co_return std::move(errand.report);
}

// `idle` is the slot's connection to other hosts, or was to those of another domain.
Task<void> Courier::try_hosts(Errand& errand, std::optional<ConnectionPool::Idle> idle) {
  const FindHosts find{
      world_.loop, world_.resolver, world_.random, world_.options, world_.own, errand.exit.reach()};
  auto destination = co_await find_hosts(find, errand.way);
  if (const auto* none = std::get_if<NoHost>(&destination)) {
    if (idle) pool_.dismiss(std::move(idle->connection));
    errand.file_all(verdict_of(*none));
    co_return;
  }
  const auto& hosts = std::get<Hosts>(destination).hosts;
  if (idle) {
    const bool fits = idle->holder.source == errand.holder.source &&
                      std::ranges::find(hosts, idle->connection->host()) != hosts.end();
    if (fits)
      co_await use(std::move(idle->connection), errand);
    else if (idle->connection->is_open())
      co_await idle->connection->quit();  // its place at the site is taken when it is gone
    idle.reset();
  }
  for (const auto& host : hosts) {
    do {
      if (errand.left.empty() || pool_.stopped()) break;
      errand.used_up = false;
      co_await try_host(host, errand);
    } while (errand.used_up);
  }
  errand.file_all(errand.trouble);
}

Task<void> Courier::try_host(Host host, Errand& errand) {
  auto terms = terms_for(host, errand);
  auto connection = co_await open(host, terms, errand);
  const bool may_go_in_clear =
      terms.session.tls == smtp::ClientTls::opportunistic && !errand.attempt.envelope.require_tls;
  if (!connection && errand.tls_failed && may_go_in_clear) {
    // Opportunistic: a peer whose TLS is broken still gets its mail (RFC 7435).
    terms.session.tls = smtp::ClientTls::never;
    connection = co_await open(host, terms, errand);
  }
  if (connection) co_await use(std::move(connection), errand);
}

Terms Courier::terms_for(const Host& host, const Errand& errand) const {
  const auto& options = world_.options;
  const auto& route = errand.way.route;
  const auto tls = route ? route->tls : options.tls;
  Terms terms;
  const auto& own_name = errand.exit.source.ehlo_name;
  terms.session.hello_name = own_name.empty() ? world_.own.host_name : own_name;
  terms.session.tls = client_tls(tls);
  terms.session.timeouts = world_.timeouts;
  if (!host.name.starts_with('[')) terms.tls.server_name = host.name;
  terms.tls.session_key = host.text();
  terms.tls.verification_required = tls == TlsMode::required || tls == TlsMode::implicit;
  if (!route) return terms;
  if (route->protocol == Protocol::lmtp) terms.session.variant = smtp::ClientVariant::lmtp;
  terms.user = route->user;
  terms.password = route->password;
  if (!terms.user.empty()) terms.session.auth = smtp::ClientAuth::required;
  terms.session.auth_in_clear_allowed = host.endpoint.address.is_loopback();
  return terms;
}

Task<Result<std::unique_ptr<Stream>>> Courier::connect(Host host, const Exit& exit) {
  const auto deadline = world_.loop.now() + world_.options.connect_timeout;
  if (!host.socket.empty()) co_return co_await world_.network.connect_unix(host.socket, deadline);
  const auto from = exit.address_to(host.endpoint.address);
  co_return co_await world_.network.connect(host.endpoint, from, deadline);
}

Task<std::unique_ptr<Connection>> Courier::open(Host host, Terms terms, Errand& errand) {
  errand.tls_failed = false;
  errand.report.connected_anew = true;
  auto stream = co_await connect(host, errand.exit);
  if (!stream) {
    errand.got_as_far_as(Contact::no_answer);
    errand.trouble = verdict_of(stream.error(), host);
    co_return nullptr;
  }
  auto connection = std::make_unique<Connection>(world_.loop,
                                                 std::move(host),
                                                 *std::move(stream),
                                                 std::move(terms),
                                                 world_.tls,
                                                 world_.random);
  pool_.in_use(*connection);
  const auto progress = co_await connection->open();
  pool_.not_in_use(*connection);
  if (progress.ready) co_return connection;
  if (progress.failed) {
    errand.tls_failed = progress.failed->kind == client::SessionFailed::Kind::tls_failed;
    errand.got_as_far_as(progress.failed->reply ? Contact::put_off : Contact::no_answer);
    errand.trouble = verdict_of(*progress.failed, connection->text());
  }
  co_return nullptr;
}

// One transaction, or several when the peer takes fewer recipients at once. A recipient keeps no
// verdict when the session ended without one and the message was not handed out: another host may
// be tried.
Task<void> Courier::use(std::unique_ptr<Connection> connection, Errand& errand) {
  bool ready = true;
  while (ready && !errand.left.empty()) {
    const auto tried = errand.left;
    const bool warm = connection->messages_sent() > 0;
    pool_.in_use(*connection);
    auto progress = co_await connection->send(
        transaction_of(errand.attempt, tried), errand.attempt.body, errand.attempt.before_end);
    pool_.not_in_use(*connection);
    ready = progress.ready && connection->is_reusable();
    errand.report.tls = connection->tls_text();
    errand.report.peer_has_dsn = connection->peer_has_dsn();
    if (progress.failed) errand.trouble = verdict_of(*progress.failed, connection->text());
    errand.got_as_far_as(contact_of(progress));
    if (!progress.done) break;
    errand.left.clear();
    // A peer that hung up while its connection waited for work read nothing of what was written.
    const bool stale = warm && progress.done->recipients.front().phase == client::Phase::mail;
    const bool maybe_delivered = progress.done->maybe_delivered && !stale;
    for (const auto& result : progress.done->recipients) {
      const auto position = tried.at(result.index);
      const bool lost = result.outcome == client::Outcome::lost && !maybe_delivered;
      if (lost || result.outcome == client::Outcome::not_tried)
        errand.left.push_back(position);
      else if (auto& filed = errand.file(position, verdict_of(result, *connection));
               maybe_delivered && result.outcome == client::Outcome::lost)
        filed.retry_in = world_.options.retry_after_lost_reply;
    }
    errand.report.maybe_delivered |= maybe_delivered;
    if (errand.left.size() == tried.size()) break;  // no progress on this connection
    errand.used_up = connection->messages_sent() >= errand.messages_per_connection_max;
    if (errand.used_up) break;
  }
  if (ready && connection->messages_sent() < errand.messages_per_connection_max)
    pool_.give(errand.holder, std::move(connection));
  else
    pool_.dismiss(std::move(connection));
}

}  // namespace tapal::delivery
