#include "services/upkeep/examination.h"

#include <algorithm>
#include <array>
#include <map>

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

using provision::Finding;
using provision::Severity;
using provision::SmtpFact;
using provision::SmtpProbe;

struct NoTls final : TlsClient {};
struct NoTlsServer final : TlsServer {};

class NoWeb final : public HttpClient {
 public:
  Task<Result<http::Response>> send(Loop& loop, HttpRequest) override {
    co_await switch_to(loop);
    co_return fail(Code::try_later, "nobody there");
  }
};

std::string no_certificates(const Stream&) { return "no PEM at all"; }

// A mail server that answers each command by its first word; "STARTTLS" then shakes hands.
class ScriptedNetwork final : public Network {
 public:
  explicit ScriptedNetwork(VirtualLoop& loop) : loop_(loop) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress>,
                                                Instant deadline) override {
    ++connections;
    if (is_silent) {
      const auto timer = loop_.make_timer();
      co_await timer->wait_until(deadline);
      co_return fail(Code::timed_out, "no answer from " + to.text());
    }
    if (is_closed) co_return fail(Code::closed, to.text() + " refuses");
    PipeOptions options;
    options.server = to;
    auto pair = PipeStream::make(loop_, options);
    tasks_.spawn(serve(std::move(pair.server)));
    co_return std::move(pair.client);
  }
  bool settle() {
    return loop_.run_until([this] { return tasks_.running() == 0; }, std::chrono::hours(1));
  }

  std::map<std::string, std::string, std::less<>> replies = {
      {"", "220 mail.123.example ESMTP\r\n"},
      {"EHLO", "250-mail.123.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n"},
      {"EHLO under TLS", "250-mail.123.example\r\n250 AUTH PLAIN\r\n"},
      {"MAIL", "250 ok\r\n"},
      {"RCPT", "550 5.7.1 no relaying\r\n"},
      {"RSET", "250 ok\r\n"},
      {"STARTTLS", "220 go ahead\r\n"},
      {"QUIT", "221 bye\r\n"}};
  bool tls_at_once = false;
  bool is_silent = false;
  bool is_closed = false;
  std::size_t connections = 0;
  std::vector<std::string> said;

 private:
  Task<void> serve(std::unique_ptr<PipeStream> stream) {
    NoTlsServer tls;
    if (tls_at_once) static_cast<void>(co_await stream->accept_tls(tls, never));
    static_cast<void>(co_await stream->write(replies[""], never));
    std::string input;
    std::array<char, 512> buffer{};
    for (;;) {
      const auto end = input.find("\r\n");
      if (end == std::string::npos) {
        const auto count = co_await stream->read(buffer, never);
        if (!count) co_return;
        input.append(buffer.data(), *count);
        continue;
      }
      const auto line = input.substr(0, end);
      input.erase(0, end + 2);
      said.push_back(line);
      auto word = std::string(text::words(line).front());
      if (word == "EHLO" && stream->is_tls()) word += " under TLS";
      static_cast<void>(co_await stream->write(replies[word], never));
      if (word == "STARTTLS") static_cast<void>(co_await stream->accept_tls(tls, never));
    }
  }

  VirtualLoop& loop_;
  TaskGroup tasks_;
};

class Probing : public testing::Test {
 protected:
  ProbeWorld world() {
    return {.loop = loop, .network = network, .tls = tls, .certificates_of = no_certificates};
  }
  SmtpFact probe(SmtpProbe::Manner manner) {
    const SmtpProbe asked{
        Endpoint::from_text("192.0.2.1:25").value(), {}, "mail.123.example", manner};
    auto fact = loop.wait(probe_smtp(world(), asked)).value();
    EXPECT_TRUE(network.settle());
    return fact;
  }
  VirtualLoop loop;
  ScriptedNetwork network{loop};
  NoTls tls;
};

TEST_F(Probing, sees_what_is_offered_in_clear_and_under_tls) {
  const auto fact = probe(SmtpProbe::Manner::starttls);
  EXPECT_EQ(fact.reach, SmtpFact::Reach::answered);
  EXPECT_EQ(fact.trouble, "");
  EXPECT_EQ(fact.greeting, "220 mail.123.example ESMTP");
  EXPECT_EQ(fact.ehlo_name, "mail.123.example");
  EXPECT_TRUE(fact.offers_starttls);
  EXPECT_FALSE(fact.offers_auth_in_clear);
  EXPECT_TRUE(fact.offers_auth_under_tls);
  EXPECT_EQ(fact.tls_version, "TLSv1.3");
  EXPECT_EQ(fact.foreign_recipient_code, 550);
  EXPECT_EQ(network.said.back(), "QUIT");
}

TEST_F(Probing, of_a_greeting_says_nothing_but_goodbye) {
  EXPECT_EQ(probe(SmtpProbe::Manner::greeting).greeting, "220 mail.123.example ESMTP");
  EXPECT_EQ(network.said, std::vector<std::string>{"QUIT"});
}

TEST_F(Probing, of_an_implicit_port_begins_with_tls) {
  network.tls_at_once = true;
  const auto fact = probe(SmtpProbe::Manner::implicit);
  EXPECT_TRUE(fact.offers_auth_under_tls);
  EXPECT_EQ(fact.tls_version, "TLSv1.3");
}

TEST_F(Probing, sees_an_open_relay_and_never_sends_a_message) {
  network.replies["RCPT"] = "250 ok\r\n";
  EXPECT_EQ(probe(SmtpProbe::Manner::starttls).foreign_recipient_code, 250);
  for (const auto& line : network.said) EXPECT_NE(line, "DATA");
}

TEST_F(Probing, tells_silence_from_refusal) {
  network.is_silent = true;
  EXPECT_EQ(probe(SmtpProbe::Manner::greeting).reach, SmtpFact::Reach::silent);
  network.is_silent = false;
  network.is_closed = true;
  EXPECT_EQ(probe(SmtpProbe::Manner::greeting).reach, SmtpFact::Reach::refused);
  network.is_closed = false;
  network.replies[""] = "";  // it takes the connection and never says a word
  EXPECT_EQ(probe(SmtpProbe::Manner::greeting).reach, SmtpFact::Reach::silent);
}

TEST_F(Probing, of_nonsense_ends_with_what_went_wrong) {
  network.replies[""] = "hello there\r\n";
  const auto fact = probe(SmtpProbe::Manner::starttls);
  EXPECT_EQ(fact.reach, SmtpFact::Reach::answered);
  EXPECT_NE(fact.trouble, "");
}

class Examining : public Probing {
 protected:
  provision::Home home() {
    provision::Home at_home;
    at_home.domain = "123.example";
    at_home.host = "mail.123.example";
    at_home.egress = {IpAddress::from_text("192.0.2.1").value()};
    at_home.on_test_network = true;
    at_home.ports = {{provision::OwnPort::Door::relay, 25}};
    at_home.where_goes = [](const std::string&) { return provision::Delivery{}; };
    return at_home;
  }
  std::vector<Finding> examine_all(std::chrono::seconds time_max = std::chrono::seconds(120)) {
    const auto suffixes = dns::PublicSuffixes::from_text("example\n").value();
    provision::Examination examination(home(), suffixes);
    ExaminationWorld all{
        .resolver = names, .http = web, .clock = loop, .probes = world(), .time_max = time_max};
    EXPECT_TRUE(loop.wait(examine(all, examination)));
    EXPECT_TRUE(network.settle());
    EXPECT_EQ(examination.evidence().wanted(), 0U);
    return examination.findings();
  }
  TableOfNames names;
  NoWeb web;
};

TEST_F(Examining, asks_what_the_checks_want_and_comes_to_an_end) {
  names.address("mail.123.example", "192.0.2.1");
  names.mx("123.example", 10, "mail.123.example");
  const auto findings = examine_all();
  const auto severity_of = [&](std::string_view id) {
    return std::ranges::find(findings, id, &Finding::id)->severity;
  };
  EXPECT_EQ(severity_of("mx.target"), Severity::ok);
  EXPECT_EQ(severity_of("port.in"), Severity::ok);
  EXPECT_EQ(severity_of("smtp.relay"), Severity::ok);
  EXPECT_EQ(severity_of("ptr.confirmed"), Severity::error);
  EXPECT_EQ(network.connections, 1U);  // nothing is asked twice
}

TEST_F(Examining, of_a_dead_network_ends_all_the_same) {
  names.failure = Error{Code::try_later, "no answer"};
  network.is_silent = true;
  EXPECT_FALSE(examine_all().empty());
}

TEST_F(Examining, asks_nobody_once_its_time_is_over) {
  names.address("mail.123.example", "192.0.2.1");
  EXPECT_FALSE(examine_all(std::chrono::seconds(0)).empty());
  EXPECT_EQ(names.questions, 0U);
  EXPECT_EQ(network.connections, 0U);
}

}  // namespace
}  // namespace tapal::upkeep
