#include "app/settings/check.h"

#include <functional>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"
#include "values/crypto/certificate.h"
#include "values/crypto/key.h"

namespace tapal::app {
namespace {

using files::ScratchFolder;

const WallTime now = WallTime(std::chrono::seconds(1'760'000'000));

const std::string& ec_pem() {
  static const std::string pem = crypto::PrivateKey::generate_ec_p256()->to_pem();
  return pem;
}

const std::string& rsa_pem(int bits) {
  static std::map<int, std::string> pems;
  std::string& pem = pems[bits];
  if (pem.empty()) pem = crypto::PrivateKey::generate_rsa(bits)->to_pem();
  return pem;
}

std::string certificate(const std::string& name, crypto::Validity validity) {
  return *crypto::make_self_signed({name}, *crypto::PrivateKey::from_pem(ec_pem()), validity);
}

struct Machine {
  ScratchFolder scratch;
  Settings settings;
  Machine() {
    settings.hostname = "mail.example.com";
    scratch.write("domains/example.com/users", "alice: $argon2id$a\n");
    scratch.write("domains/example.com/aliases", "*: alice\n");
    scratch.write("domains/example.com/dkim/t1.pem", rsa_pem(2048));
    serve("*.example.com", {now - std::chrono::days(1), now + std::chrono::days(60)});
  }
  void serve(const std::string& name, crypto::Validity validity) {
    scratch.write("certs/mail.example.com/fullchain.pem", certificate(name, validity));
    scratch.write("certs/mail.example.com/privkey.pem", ec_pem());
  }
  ConfigProblems check() const {
    return config_problems(files::load_config_folder({scratch.path(), {}}), settings, now);
  }
};

std::string all(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, "\n"));
}

TEST(ConfigProblems, finds_nothing_but_the_self_signed_certificate_in_a_good_folder) {
  const ConfigProblems problems = Machine().check();
  EXPECT_EQ(all(problems.errors), "");
  ASSERT_EQ(problems.warnings.size(), 1u) << all(problems.warnings);
  EXPECT_TRUE(problems.warnings[0].contains("self-signed"));
}

struct Case {
  std::string_view name;
  std::function<void(Machine&)> spoil;
  std::string_view error;  // exactly one of the two
  std::string_view warning;
};

TEST(ConfigProblems, finds_what_will_go_wrong_later) {
  using std::chrono::days;
  const Case cases[] = {
      {"host name", [](Machine& s) { s.settings.hostname = "a b"; }, "hostname a b: ", ""},
      {"short name",
       [](Machine& s) { s.settings.hostname = "mail"; },
       "",
       "hostname mail: a name without a domain"},
      {"no certificate",
       [](Machine& s) { std::filesystem::remove_all(s.scratch.path() / "certs"); },
       "no certificate: users cannot log in without TLS",
       ""},
      {"wrong name",
       [](Machine& s) { s.serve("*.example.org", {now, now + days(60)}); },
       "",
       "no certificate covers the hostname mail.example.com"},
      {"expired",
       [](Machine& s) { s.serve("mail.example.com", {now - days(9), now - days(1)}); },
       "fullchain.pem: expired",
       ""},
      {"early",
       [](Machine& s) { s.serve("mail.example.com", {now + days(1), now + days(60)}); },
       "fullchain.pem: not yet valid",
       ""},
      {"soon",
       [](Machine& s) { s.serve("mail.example.com", {now, now + days(5)}); },
       "",
       "fullchain.pem: expires in 5 days"},
      {"no key",
       [](Machine& s) {
         std::filesystem::remove_all(s.scratch.path() / "domains/example.com/dkim");
       },
       "",
       "example.com: no DKIM key"},
      {"short key",
       [](Machine& s) { s.scratch.write("domains/example.com/dkim/t1.pem", rsa_pem(1024)); },
       "",
       "t1.pem: RSA with 1024 bits"},
      {"Ed25519 alone",
       [](Machine& s) {
         s.scratch.write("domains/example.com/dkim/t1.pem",
                         crypto::PrivateKey::generate_ed25519()->to_pem());
       },
       "",
       "example.com: no RSA key for DKIM"},
      {"broken users",
       [](Machine& s) { s.scratch.write("domains/example.com/users", "alice\n"); },
       "users:1: no colon",
       ""},
      {"open users",
       [](Machine& s) {
         std::filesystem::permissions(s.scratch.path() / "domains/example.com/users",
                                      std::filesystem::perms(0644));
       },
       "",
       "other users of this machine can open it"},
      {"same port twice",
       [](Machine& s) { s.settings.listen.submission = s.settings.listen.smtp; },
       "listen.smtp and listen.submission both name 0.0.0.0:25",
       ""},
      {"open relay",
       [](Machine& s) { s.settings.relay.trusted_networks = {*IpNetwork::from_text("0.0.0.0/0")}; },
       "relay.trusted_networks: 0.0.0.0/0 is the whole internet",
       ""},
      {"open relay over IPv6",
       [](Machine& s) { s.settings.relay.trusted_networks = {*IpNetwork::from_text("::/0")}; },
       "is the whole internet",
       ""},
      {"public network",
       [](Machine& s) {
         s.settings.relay.trusted_networks = {*IpNetwork::from_text("8.8.8.0/24")};
       },
       "",
       "relay.trusted_networks: 8.8.8.0/24 is not a private network"},
      {"hasty queue",
       [](Machine& s) { s.settings.queue.retry.give_up = std::chrono::hours(2); },
       "",
       "queue.give_up is under a day"},
      {"silent queue",
       [](Machine& s) { s.settings.queue.retry.delay_notice = days(6); },
       "",
       "queue.delay_notice is not shorter"},
      {"deaf",
       [](Machine& s) { s.settings.listen = {{}, {}, {}, {}, {}, ""}; },
       "",
       "no listener is on"},
      {"few recipients",
       [](Machine& s) { s.settings.limits.recipients = 5; },
       "",
       "limits.recipients is under the 100"},
      {"small messages",
       [](Machine& s) { s.settings.limits.message_bytes = 1024; },
       "",
       "limits.message_bytes is under the 64 KiB"},
      {"no domain",
       [](Machine& s) { std::filesystem::remove_all(s.scratch.path() / "domains"); },
       "",
       "no domain is set up"},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.name);
    Machine machine;
    wrong.spoil(machine);
    const ConfigProblems problems = machine.check();
    if (wrong.error.empty()) {
      EXPECT_EQ(all(problems.errors), "");
      EXPECT_TRUE(all(problems.warnings).contains(wrong.warning)) << all(problems.warnings);
    } else {
      EXPECT_TRUE(all(problems.errors).contains(wrong.error)) << all(problems.errors);
    }
  }
}

TEST(ConfigProblems, needs_no_certificate_where_nobody_logs_in) {
  Machine machine;
  std::filesystem::remove_all(machine.scratch.path() / "certs");
  machine.settings.listen.submission.clear();
  machine.settings.listen.submissions.clear();
  EXPECT_EQ(all(machine.check().errors), "");
}

}  // namespace
}  // namespace tapal::app
