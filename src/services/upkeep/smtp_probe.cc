#include "services/upkeep/smtp_probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocols/smtp/reply.h"
#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

using provision::SmtpFact;
using provision::SmtpProbe;

constexpr std::string_view hello = "EHLO [127.0.0.1]\r\n";
// A null sender and a domain that nobody may have (RFC 2606): whoever takes this takes anything.
constexpr std::string_view foreign_sender = "MAIL FROM:<>\r\n";
constexpr std::string_view foreign_recipient = "RCPT TO:<open-relay-test@example.net>\r\n";

std::size_t certificates_in(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::size_t count = 0;
  for (auto at = pem.find(begin); at != pem.npos; at = pem.find(begin, at + 1)) ++count;
  return count;
}

bool offers(const smtp::Reply& reply, std::string_view keyword) {
  return std::ranges::any_of(reply.lines, [keyword](const std::string& line) {
    const auto words = text::words(line);
    return !words.empty() && text::equals_ignoring_case(words.front(), keyword);
  });
}

std::string first_word(const smtp::Reply& reply) {
  if (reply.lines.empty()) return {};
  const auto words = text::words(reply.lines.front());
  return words.empty() ? std::string() : std::string(words.front());
}

// One connection. Each step leaves what it saw in `fact`; an Error ends the talk.
class Talk {
 public:
  Talk(ProbeWorld world, SmtpProbe probe)
      : world_(world), probe_(std::move(probe)), deadline_(world.loop.now() + world.time_max) {}

  Task<SmtpFact> run() {
    auto connected = co_await world_.network.connect(probe_.server, probe_.from, deadline_);
    if (!connected) {
      fact_.reach = connected.error().code == Code::timed_out ? SmtpFact::Reach::silent
                                                              : SmtpFact::Reach::refused;
      fact_.trouble = connected.error().what;
      co_return fact_;
    }
    stream_ = *std::move(connected);
    fact_.local = stream_->local().address;
    const auto done = co_await converse();
    if (!done) note(done.error());
    stream_->close();
    co_return std::move(fact_);
  }

 private:
  // A server that never greets is as silent as one that cannot be reached.
  void note(const Error& error) {
    if (fact_.trouble.empty()) fact_.trouble = error.what;
    const bool has_spoken = !fact_.greeting.empty() || !fact_.tls_version.empty();
    if (!has_spoken && fact_.tls_trouble.empty() && error.code == Code::timed_out)
      fact_.reach = SmtpFact::Reach::silent;
  }

  Task<Result<void>> converse() {
    if (probe_.manner == SmtpProbe::Manner::implicit) {
      TAPAL_CO_CHECK(co_await begin_tls());
    }
    TAPAL_CO_TRY(const auto greeting, co_await read_reply());
    fact_.greeting = smtp::one_line(greeting);
    if (probe_.manner == SmtpProbe::Manner::greeting || !smtp::is_positive(greeting))
      co_return co_await leave();
    TAPAL_CO_TRY(const auto offered, co_await say(hello));
    fact_.ehlo_name = first_word(offered);
    fact_.offers_starttls = offers(offered, "STARTTLS");
    if (stream_->is_tls()) {
      fact_.offers_auth_under_tls = offers(offered, "AUTH");
      co_return co_await leave();
    }
    fact_.offers_auth_in_clear = offers(offered, "AUTH");
    TAPAL_CO_CHECK(co_await try_to_relay());
    if (fact_.offers_starttls) {
      TAPAL_CO_CHECK(co_await start_tls());
    }
    co_return co_await leave();
  }

  Task<Result<void>> try_to_relay() {
    TAPAL_CO_TRY(const auto sender, co_await say(foreign_sender));
    fact_.foreign_recipient_code = sender.code;
    if (!smtp::is_positive(sender)) co_return Result<void>();
    TAPAL_CO_TRY(const auto recipient, co_await say(foreign_recipient));
    fact_.foreign_recipient_code = recipient.code;
    TAPAL_CO_CHECK(co_await say("RSET\r\n"));
    co_return Result<void>();
  }

  Task<Result<void>> start_tls() {
    TAPAL_CO_TRY(const auto ready, co_await say("STARTTLS\r\n"));
    if (!smtp::is_positive(ready)) {
      fact_.tls_trouble = smtp::one_line(ready);
      co_return Result<void>();
    }
    TAPAL_CO_CHECK(co_await begin_tls());
    TAPAL_CO_TRY(const auto offered, co_await say(hello));
    fact_.offers_auth_under_tls = offers(offered, "AUTH");
    co_return Result<void>();
  }

  Task<Result<void>> begin_tls() {
    TlsConnectOptions options;
    options.server_name = probe_.name;
    const auto state = co_await stream_->connect_tls(world_.tls, options, deadline_);
    if (!state) {
      fact_.tls_trouble = state.error().what;
      co_return std::unexpected(state.error());
    }
    fact_.tls_version = state->version;
    fact_.is_trusted = state->verified;
    fact_.tls_trouble = state->verify_error;
    const auto chain = world_.certificates_of(*stream_);
    fact_.certificates_sent = certificates_in(chain);
    if (auto facts = crypto::read_certificate(chain)) fact_.certificate = *std::move(facts);
    co_return Result<void>();
  }

  Task<Result<void>> leave() {
    TAPAL_CO_CHECK(co_await say("QUIT\r\n"));
    co_return Result<void>();
  }

  Task<Result<smtp::Reply>> say(std::string_view line) {
    TAPAL_CO_CHECK(co_await stream_->write(line, deadline_));
    co_return co_await read_reply();
  }

  Task<Result<smtp::Reply>> read_reply() {
    smtp::ReplyReader reader;
    std::array<char, 2048> buffer{};
    while (!reader.is_ready()) {
      TAPAL_CO_TRY(const auto count, co_await stream_->read(buffer, deadline_));
      const std::string_view bytes(buffer.data(), count);
      TAPAL_CO_TRY(const auto taken, reader.feed(bytes));
      if (taken < count) co_return fail(Code::invalid, "it talks out of turn");
    }
    co_return reader.take();
  }

  ProbeWorld world_;
  SmtpProbe probe_;
  Instant deadline_;
  std::unique_ptr<Stream> stream_;
  SmtpFact fact_;
};

}  // namespace

Task<SmtpFact> probe_smtp(ProbeWorld world, SmtpProbe probe) {
  Talk talk(world, std::move(probe));
  co_return co_await talk.run();
}

}  // namespace tapal::upkeep
