// For tests: certificate files in memory, DNS texts in a table, and HTTP that leads to an authority
// of the same process.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/kept_note.h"
#include "ports/test_fakes.h"
#include "ports/test_handover.h"
#include "ports/test_loop.h"
#include "protocols/acme/test_authority.h"
#include "services/upkeep/certificate_order.h"

namespace tapal::upkeep {

class MemoryCertificates final : public CertificateFiles {
 public:
  Result<std::vector<KeptCertificate>> list() override {
    std::vector<KeptCertificate> kept;
    for (const auto& [name, set] : sets) kept.push_back({name, set.chain_pem, set.note});
    return kept;
  }
  Result<void> put(std::string_view name, const CertificateSet& set) override {
    if (is_full) return fail(Code::full, "no space left");
    sets[std::string(name)] = set;
    ++puts;
    return {};
  }
  Result<void> put_note(std::string_view name, std::string_view note) override {
    if (is_full) return fail(Code::full, "no space left");
    sets[std::string(name)].note = note;
    return {};
  }
  Result<std::string> key(std::string_view name) override {
    const auto found = sets.find(name);
    if (found == sets.end()) return fail(Code::not_found, "no such certificate");
    return found->second.key_pem;
  }
  Result<std::string> next_key(std::string_view name) override {
    const auto found = next_keys.find(name);
    if (found == next_keys.end()) return fail(Code::not_found, "no such key");
    return found->second;
  }
  Result<AccountFiles> account(std::string_view name) override {
    const auto found = accounts.find(name);
    if (found == accounts.end()) return fail(Code::not_found, "no such account");
    return found->second;
  }
  Result<void> put_account(std::string_view name, const AccountFiles& account) override {
    accounts[std::string(name)] = account;
    return {};
  }
  Result<void> remove_account(std::string_view name) override {
    accounts.erase(std::string(name));
    return {};
  }

  std::map<std::string, CertificateSet, std::less<>> sets;
  std::map<std::string, std::string, std::less<>> next_keys;
  std::map<std::string, AccountFiles, std::less<>> accounts;
  std::size_t puts = 0;
  bool is_full = false;
};

struct MemoryNote final : KeptNote {
  Result<std::string> read() override { return text; }
  Result<void> write(std::string_view now) override {
    text = now;
    return {};
  }
  std::string text;
};

class TableOfTexts final : public ChallengeTexts {
 public:
  Task<Result<void>> add(Loop&, std::string name, std::string value) override {
    if (!refusal.empty()) co_return fail(Code::denied, refusal);
    texts.emplace(name, value);
    seen.emplace(std::move(name), std::move(value));
    co_return Result<void>();
  }
  Task<Result<void>> remove(Loop&, std::string name, std::string value) override {
    if (is_stuck) co_return fail(Code::try_later, "nobody there");
    texts.erase({std::move(name), std::move(value)});
    co_return Result<void>();
  }
  std::set<std::pair<std::string, std::string>> texts;
  std::set<std::pair<std::string, std::string>> seen;  // at any time
  std::string refusal;
  bool is_stuck = false;  // nothing is taken away
};

class AuthorityByHttp final : public HttpClient {
 public:
  AuthorityByHttp(acme::TestAuthority& authority, VirtualLoop& loop)
      : authority_(authority), loop_(loop) {}
  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override {
    co_await switch_to(loop);
    if (is_down) co_return fail(Code::try_later, "ca.example: cannot connect");
    authority_.now = loop_.wall_now();
    const acme::OrderSession::Send wanted{
        request.method, request.url, request.headers, request.body};
    if (before_answer) before_answer(request);
    co_return authority_.answer(wanted);
  }
  bool is_down = false;
  std::function<void(const HttpRequest&)> before_answer;

 private:
  acme::TestAuthority& authority_;
  VirtualLoop& loop_;
};

// An order's surroundings.
struct OrderTestWorld {
  VirtualLoop loop;
  crypto::PrivateKey key = crypto::PrivateKey::generate_ec_p256().value();
  acme::TestAuthority authority{key, loop.wall_now()};
  AuthorityByHttp http{authority, loop};
  TableOfNames names;
  ChallengeBoard board;
  TableOfTexts texts;

  OrderWorld order_world() {
    OrderWorld world{loop, loop, http, names, board, "tapal/test"};
    world.texts = &texts;
    return world;
  }
};

}  // namespace tapal::upkeep
