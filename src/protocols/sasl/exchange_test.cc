// Both sides of each mechanism, against each other and against the vector of RFC 7677 section 3.
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "protocols/sasl/client_exchange.h"
#include "protocols/sasl/scram.h"
#include "protocols/sasl/server_exchange.h"
#include "values/text/base64.h"

namespace tapal::sasl {
namespace {

using namespace std::string_literals;

const std::string rfc_client_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string rfc_server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view rfc_server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view rfc_client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view rfc_server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

crypto::ScramKeys rfc_keys() {
  return crypto::derive_scram_keys("pencil", *text::from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}

ServerExchangeOptions server_options() {
  ServerExchangeOptions options;
  options.nonce = rfc_server_nonce;
  options.unknown_user_secret = "secret of the installation";
  return options;
}

template <class Step>
Step expect(const ServerStep& step) {
  const auto* wanted = std::get_if<Step>(&step);
  if (const auto* failure = std::get_if<Failure>(&step); failure != nullptr && wanted == nullptr)
    ADD_FAILURE() << failure->text;
  EXPECT_NE(wanted, nullptr) << "another step: " << step.index();
  return wanted == nullptr ? Step{} : *wanted;
}

Failure::Reason reason_of(const ServerStep& step) { return expect<Failure>(step).reason; }

TEST(Mechanism, is_known_by_its_name) {
  EXPECT_EQ(mechanism_from_name("scram-sha-256-plus"), Mechanism::scram_sha_256_plus);
  EXPECT_EQ(mechanism_from_name("CRAM-MD5"), std::nullopt);
  for (const auto each : {Mechanism::plain,
                          Mechanism::login,
                          Mechanism::scram_sha_256,
                          Mechanism::scram_sha_256_plus})
    EXPECT_EQ(mechanism_from_name(name_of(each)), each);
}

TEST(Mechanism, is_the_strongest_that_both_sides_can_do) {
  const std::vector<std::string> all = {"LOGIN", "PLAIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
  EXPECT_EQ(choose_mechanism(all, {"data", ""}), Mechanism::scram_sha_256_plus);
  EXPECT_EQ(choose_mechanism(all, {}), Mechanism::scram_sha_256);
  EXPECT_EQ(choose_mechanism(std::vector<std::string>{"login", "plain"}, {}), Mechanism::plain);
  EXPECT_EQ(choose_mechanism(std::vector<std::string>{"GSSAPI"}, {}), std::nullopt);
}

TEST(Prepared, brings_names_and_passwords_to_one_form) {
  EXPECT_EQ(prepared("e\xCC\x81").value(), "\xC3\xA9");
  for (const std::string& bad : {""s, "a\0b"s, "a\nb"s, "\x7F"s, "\xC2\x85"s, "\xFF"s})
    EXPECT_FALSE(prepared(bad)) << ::testing::PrintToString(bad);
}

TEST(Plain, accepts_and_refuses_by_the_table) {
  struct Case {
    std::string message;
    std::string user;  // empty: no password is checked
    Failure::Reason reason;
  };
  const std::vector<Case> cases = {
      {"\0tim\0tanstaaftanstaaf"s, "tim", {}},
      {"tim\0tim\0pw"s, "tim", {}},
      {"Ursel\0Kurt\0xipj3plmq"s, "", Failure::Reason::denied},
      {"\0\0pw"s, "", Failure::Reason::denied},
      {"\0tim\0"s, "", Failure::Reason::denied},
      {"\0t\nim\0pw"s, "", Failure::Reason::denied},
      {"\0\xFF\0pw"s, "", Failure::Reason::denied},
      {"\0tim\0pw\0"s, "", Failure::Reason::malformed},
      {"tim\0pw"s, "", Failure::Reason::malformed},
      {"", "", Failure::Reason::malformed},
      {"\0"s + std::string(321, 'a') + "\0pw"s, "", Failure::Reason::denied},
      {std::string(message_bytes_max + 1, 'a'), "", Failure::Reason::malformed},
  };
  for (const Case& each : cases) {
    ServerExchange exchange(Mechanism::plain, {});
    const ServerStep step = exchange.start(each.message);
    if (each.user.empty()) {
      EXPECT_EQ(reason_of(step), each.reason) << ::testing::PrintToString(each.message);
    } else {
      EXPECT_EQ(expect<CheckPassword>(step).user, each.user);
    }
  }
}

TEST(Plain, asks_for_its_message_when_it_does_not_come_with_the_command) {
  ServerExchange exchange(Mechanism::plain, {});
  EXPECT_EQ(expect<Challenge>(exchange.start({})).bytes, "");
  EXPECT_EQ(expect<CheckPassword>(exchange.on_response("\0u\0p"s)).password, "p");
  EXPECT_EQ(expect<Success>(exchange.on_password(PasswordVerdict::right)).user, "u");
}

TEST(Plain, tells_a_wrong_password_from_one_that_cannot_be_checked) {
  ServerExchange wrong(Mechanism::plain, {});
  wrong.start("\0u\0p"s);
  EXPECT_EQ(reason_of(wrong.on_password(PasswordVerdict::wrong)), Failure::Reason::denied);
  ServerExchange unavailable(Mechanism::plain, {});
  unavailable.start("\0u\0p"s);
  EXPECT_EQ(reason_of(unavailable.on_password(PasswordVerdict::unavailable)),
            Failure::Reason::unavailable);
}

TEST(ServerExchange, refuses_calls_out_of_turn) {
  ServerExchange exchange(Mechanism::plain, {});
  EXPECT_EQ(reason_of(exchange.on_password(PasswordVerdict::right)), Failure::Reason::malformed);
  EXPECT_EQ(reason_of(exchange.start("\0u\0p"s)), Failure::Reason::malformed);

  ServerExchange second(Mechanism::plain, {});
  second.start("\0u\0p"s);
  EXPECT_EQ(reason_of(second.on_response("\0u\0p"s)), Failure::Reason::malformed);
  EXPECT_EQ(reason_of(second.on_password(PasswordVerdict::right)), Failure::Reason::malformed);

  ServerExchange third(Mechanism::plain, {});
  EXPECT_EQ(reason_of(third.on_scram_keys(rfc_keys())), Failure::Reason::malformed);
}

TEST(Login, asks_for_name_and_password) {
  ServerExchange exchange(Mechanism::login, {});
  EXPECT_EQ(expect<Challenge>(exchange.start({})).bytes, "Username:");
  EXPECT_EQ(expect<Challenge>(exchange.on_response("u")).bytes, "Password:");
  const auto check = expect<CheckPassword>(exchange.on_response("p"));
  EXPECT_EQ(check.user, "u");
  EXPECT_EQ(check.password, "p");
  EXPECT_EQ(expect<Success>(exchange.on_password(PasswordVerdict::right)).user, "u");
}

TEST(Login, takes_the_name_with_the_command_and_tells_bad_names_only_at_the_end) {
  ServerExchange exchange(Mechanism::login, {});
  EXPECT_EQ(expect<Challenge>(exchange.start("a\nb")).bytes, "Password:");
  EXPECT_EQ(reason_of(exchange.on_response("p")), Failure::Reason::denied);
}

TEST(Scram, server_agrees_with_rfc_7677) {
  ServerExchange exchange(Mechanism::scram_sha_256, server_options());
  EXPECT_EQ(expect<FindScramKeys>(exchange.start("n,,n=user,r=" + rfc_client_nonce)).user, "user");
  EXPECT_EQ(expect<Challenge>(exchange.on_scram_keys(rfc_keys())).bytes, rfc_server_first);
  EXPECT_EQ(expect<Challenge>(exchange.on_response(rfc_client_final)).bytes, rfc_server_final);
  EXPECT_EQ(expect<Success>(exchange.on_response("")).user, "user");
}

TEST(Scram, client_agrees_with_rfc_7677) {
  ClientExchange exchange(
      Mechanism::scram_sha_256, {"user", "pencil"}, {rfc_client_nonce, {}, false});
  EXPECT_EQ(exchange.start().value(), "n,,n=user,r=" + rfc_client_nonce);
  EXPECT_EQ(exchange.on_challenge(rfc_server_first).value(), rfc_client_final);
  EXPECT_FALSE(exchange.on_success());
  EXPECT_EQ(exchange.on_challenge(rfc_server_final).value(), "");
  EXPECT_TRUE(exchange.on_success());
}

TEST(Scram, client_refuses_a_server_that_cannot_prove_itself) {
  ClientExchange exchange(
      Mechanism::scram_sha_256, {"user", "pencil"}, {rfc_client_nonce, {}, false});
  exchange.start();
  exchange.on_challenge(rfc_server_first);
  EXPECT_FALSE(exchange.on_challenge("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="));
  EXPECT_FALSE(exchange.on_success());
}

TEST(Scram, client_takes_nothing_for_a_proof_after_an_error) {
  ClientExchange exchange(
      Mechanism::scram_sha_256, {"user", "pencil"}, {rfc_client_nonce, {}, false});
  exchange.start();
  EXPECT_FALSE(exchange.on_challenge("."));
  EXPECT_FALSE(exchange.on_challenge(""));
  EXPECT_FALSE(exchange.on_challenge(rfc_server_final));
  EXPECT_FALSE(exchange.on_success());
}

TEST(Scram, client_refuses_bad_first_messages) {
  const std::string good = "r=" + rfc_client_nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  for (const std::string& bad :
       {""s,
        "r="s,
        "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"s,
        "r=" + rfc_client_nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=" + rfc_client_nonce + "x,s=!,i=4096",
        "r=" + rfc_client_nonce + "x,s=,i=4096",
        "r=" + rfc_client_nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        "r=" + rfc_client_nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
        "r=" + rfc_client_nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999",
        "m=x," + good}) {
    ClientExchange exchange(
        Mechanism::scram_sha_256, {"user", "pencil"}, {rfc_client_nonce, {}, false});
    exchange.start();
    EXPECT_FALSE(exchange.on_challenge(bad)) << bad;
    EXPECT_FALSE(exchange.on_success()) << bad;
  }
}

TEST(Scram, server_refuses_bad_first_messages) {
  using enum Failure::Reason;
  struct Case {
    std::string message;
    Failure::Reason reason;
  };
  const std::string tail = ",n=user,r=" + rfc_client_nonce;
  const std::vector<Case> cases = {
      {"", malformed},
      {"n,", malformed},
      {"x," + tail, malformed},
      {"p=tls-exporter," + tail, malformed},
      {"n,b=x" + tail, malformed},
      {"n,a=other" + tail, denied},
      {"n,,m=1,n=user,r=" + rfc_client_nonce, malformed},
      {"n,,n=us=er,r=" + rfc_client_nonce, malformed},
      {"n,,n=user", malformed},
      {"n,,n=user,r=", malformed},
      {"n,,n=user,r=a\x7F", malformed},
      {"n,,n=user,r=" + std::string(scram_nonce_bytes_max + 1, 'a'), malformed},
      {"n,,n=us\ner,r=" + rfc_client_nonce, denied},
  };
  for (const Case& each : cases) {
    ServerExchange exchange(Mechanism::scram_sha_256, server_options());
    EXPECT_EQ(reason_of(exchange.start(each.message)), each.reason)
        << ::testing::PrintToString(each.message);
  }
  ServerExchange same(Mechanism::scram_sha_256, server_options());
  EXPECT_EQ(expect<FindScramKeys>(same.start("n,a=user" + tail)).user, "user");
}

TEST(Scram, server_refuses_bad_final_messages) {
  using enum Failure::Reason;
  const std::string nonce = rfc_client_nonce + rfc_server_nonce;
  const std::string proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  struct Case {
    std::string message;
    Failure::Reason reason;
  };
  const std::vector<Case> cases = {
      {"", malformed},
      {"c=biws,r=" + nonce, malformed},
      {"c=biws,r=" + nonce + ",p=AAAA", malformed},
      {"c=biws,r=" + nonce + ",p=" + proof + ",x=1", malformed},
      {"c=eSws,r=" + nonce + ",p=" + proof, denied},
      {"c=biws,r=" + nonce + "x,p=" + proof, denied},
      {"c=biws,r=" + nonce + ",x=1,p=" + proof, denied},
      {"c=biws,r=" + nonce + ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", denied},
  };
  for (const Case& each : cases) {
    ServerExchange exchange(Mechanism::scram_sha_256, server_options());
    exchange.start("n,,n=user,r=" + rfc_client_nonce);
    exchange.on_scram_keys(rfc_keys());
    EXPECT_EQ(reason_of(exchange.on_response(each.message)), each.reason) << each.message;
  }
}

TEST(Scram, shows_an_unknown_user_the_same_salt_each_time_and_fails_at_the_end) {
  std::string shown;
  for (int attempt = 0; attempt < 2; ++attempt) {
    ServerExchange exchange(Mechanism::scram_sha_256, server_options());
    exchange.start("n,,n=nobody,r=" + rfc_client_nonce);
    const std::string first = expect<Challenge>(exchange.on_scram_keys({})).bytes;
    EXPECT_TRUE(shown.empty() || shown == first);
    shown = first;
    ClientExchange client(Mechanism::scram_sha_256, {"nobody", "x"}, {rfc_client_nonce, {}, false});
    client.start();
    EXPECT_EQ(reason_of(exchange.on_response(client.on_challenge(first).value())),
              Failure::Reason::denied);
  }
  EXPECT_EQ(shown.size(), rfc_server_first.size());
  ServerExchange other(Mechanism::scram_sha_256, server_options());
  other.start("n,,n=somebody,r=" + rfc_client_nonce);
  EXPECT_NE(expect<Challenge>(other.on_scram_keys({})).bytes, shown);
}

TEST(Scram, detects_that_the_plus_variant_was_hidden_from_the_client) {
  ServerExchangeOptions options = server_options();
  options.plus_offered = true;
  ServerExchange hidden(Mechanism::scram_sha_256, options);
  EXPECT_EQ(reason_of(hidden.start("y,,n=user,r=" + rfc_client_nonce)), Failure::Reason::malformed);
  ServerExchange unable(Mechanism::scram_sha_256, options);
  expect<FindScramKeys>(unable.start("n,,n=user,r=" + rfc_client_nonce));
  // Our own client says "y" when it could bind and was offered nothing to bind with.
  ClientExchange client(
      Mechanism::scram_sha_256, {"user", "pencil"}, {rfc_client_nonce, {"data", ""}, false});
  EXPECT_TRUE(client.start().value()->starts_with("y,,"));
}

TEST(Scram, says_when_keys_cannot_be_found_now) {
  ServerExchange exchange(Mechanism::scram_sha_256, server_options());
  exchange.start("n,,n=user,r=" + rfc_client_nonce);
  EXPECT_EQ(reason_of(exchange.on_unavailable()), Failure::Reason::unavailable);
}

struct Meeting {
  std::string name;
  Mechanism mechanism;
  ChannelBindings client;
  ChannelBindings server;
  std::string password;
  bool succeeds;
};

// Plays both sides to the end; true when both are satisfied.
bool meet(const Meeting& meeting, const std::string& user) {
  ServerExchangeOptions options = server_options();
  options.bindings = meeting.server;
  ServerExchange server(meeting.mechanism, options);
  ClientExchange client(
      meeting.mechanism, {user, meeting.password}, {rfc_client_nonce, meeting.client, false});
  auto first = client.start();
  if (!first) return false;
  ServerStep step = server.start(*first);
  for (int turn = 0; turn < 10; ++turn) {
    if (std::holds_alternative<Success>(step)) return client.on_success().has_value();
    if (std::holds_alternative<Failure>(step)) return false;
    if (const auto* check = std::get_if<CheckPassword>(&step)) {
      const bool is_right = check->user == user && check->password == "pencil";
      step = server.on_password(is_right ? PasswordVerdict::right : PasswordVerdict::wrong);
    } else if (const auto* find = std::get_if<FindScramKeys>(&step)) {
      EXPECT_EQ(find->user, user);
      step = server.on_scram_keys(rfc_keys());
    } else {
      const auto response = client.on_challenge(std::get<Challenge>(step).bytes);
      if (!response) return false;
      step = server.on_response(*response);
    }
  }
  return false;
}

TEST(Exchanges, meet_on_every_mechanism) {
  const ChannelBindings exporter{"exported", ""};
  const ChannelBindings end_point{"", "hash of the certificate"};
  const ChannelBindings both{"exported", "hash of the certificate"};
  const std::vector<Meeting> meetings = {
      {"plain", Mechanism::plain, {}, {}, "pencil", true},
      {"plain, wrong", Mechanism::plain, {}, {}, "pen", false},
      {"login", Mechanism::login, {}, {}, "pencil", true},
      {"login, wrong", Mechanism::login, {}, {}, "pen", false},
      {"scram", Mechanism::scram_sha_256, {}, {}, "pencil", true},
      {"scram, wrong", Mechanism::scram_sha_256, {}, {}, "pen", false},
      {"scram, both could bind", Mechanism::scram_sha_256, both, both, "pencil", true},
      {"plus by exporter", Mechanism::scram_sha_256_plus, exporter, both, "pencil", true},
      {"plus by end point", Mechanism::scram_sha_256_plus, end_point, both, "pencil", true},
      {"plus, wrong", Mechanism::scram_sha_256_plus, both, both, "pen", false},
      {"plus, somebody between",
       Mechanism::scram_sha_256_plus,
       {"other", ""},
       both,
       "pencil",
       false},
      {"plus, server has none such",
       Mechanism::scram_sha_256_plus,
       exporter,
       end_point,
       "pencil",
       false},
      {"plus, client has none", Mechanism::scram_sha_256_plus, {}, both, "pencil", false},
  };
  for (const Meeting& each : meetings) {
    EXPECT_EQ(meet(each, "user"), each.succeeds) << each.name;
    EXPECT_EQ(meet(each, "a,b=c@example.com"), each.succeeds) << each.name;
  }
}

TEST(ClientExchange, refuses_credentials_that_cannot_be_sent) {
  ClientExchange exchange(Mechanism::plain, {"a\0b"s, "p"}, {});
  EXPECT_FALSE(exchange.start());
  ClientExchange empty(Mechanism::login, {"a", ""}, {});
  EXPECT_FALSE(empty.start());
}

TEST(ClientExchange, gives_login_its_two_answers_and_no_third) {
  ClientExchange exchange(Mechanism::login, {"u", "p"}, {});
  EXPECT_EQ(exchange.start().value(), std::nullopt);
  EXPECT_EQ(exchange.on_challenge("Username:").value(), "u");
  EXPECT_EQ(exchange.on_challenge("Password:").value(), "p");
  EXPECT_FALSE(exchange.on_challenge("More:"));
  ClientExchange plain(Mechanism::plain, {"u", "p"}, {});
  EXPECT_EQ(plain.start().value(), "\0u\0p"s);
  EXPECT_FALSE(plain.on_challenge(""));
}

}  // namespace
}  // namespace tapal::sasl
