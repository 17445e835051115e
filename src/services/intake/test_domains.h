// Domains for the tests of intake.
//   own.example    alice, bob, carol; info: alice, bob; team: info, carol
//                  bob may send as billing@own.example and as anybody at partner.example
//   two.example    dan, and every other name
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/intake/domains.h"
#include "values/crypto/password.h"
#include "values/crypto/scram_keys.h"

namespace tapal::intake {

inline constexpr crypto::PasswordCost cheap_cost{.memory_kib = 8, .passes = 1};

inline mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

inline account::UserRecord user_with(std::string_view name, const std::string& password) {
  account::UserRecord user{.address = address(name)};
  user.password_hash = crypto::hash_password(password, cheap_cost).value();
  user.scram = crypto::derive_scram_keys(password, "0123456789abcdef");
  return user;
}

// alice's, named "gmail".
inline constexpr std::string_view app_password = "abcde-fghjk-mnpqr-stvwx-yz012";

inline account::AppPassword gmail_password() {
  using namespace std::chrono_literals;
  return {"gmail", 2026y / 11 / 26, account::app_password_digest(app_password).value()};
}

inline Domains make_test_domains() {
  Domains domains;
  auto alice = user_with("alice@own.example", "alice's secret");
  alice.app_passwords = {gmail_password()};
  auto bob = user_with("bob@own.example", "bob's secret");
  bob.grants = {{.address = address("billing@own.example"), .domain = "own.example"},
                {.address = {}, .domain = "partner.example"}};
  auto carol = user_with("carol@own.example", "carol's secret");
  std::vector<account::UserRecord> own{std::move(alice), std::move(bob), std::move(carol)};
  domains.directory.add_domain("own.example", std::move(own));
  domains.directory.add_domain("two.example", {user_with("dan@two.example", "dan's secret")});
  const std::array<alias::DomainInput, 2> inputs{
      alias::DomainInput{.domain = "own.example",
                         .users = {"alice", "bob", "carol"},
                         .aliases_text = "info: alice, bob\nteam: info, carol\n",
                         .aliases_file = "aliases"},
      alias::DomainInput{.domain = "two.example",
                         .users = {"dan"},
                         .aliases_text = "*: dan\n",
                         .aliases_file = "aliases"}};
  domains.aliases = alias::build_alias_table(inputs).table;
  return domains;
}

// Hashing passwords takes time: it is done once.
inline const Domains& test_domains() {
  static const Domains domains = make_test_domains();
  return domains;
}

inline void add_signer(Domains& domains, const std::string& domain, crypto::PrivateKey key) {
  auto shared = std::make_shared<const crypto::PrivateKey>(std::move(key));
  domains.signers[domain].push_back({domain, "test", std::move(shared)});
}

}  // namespace tapal::intake
