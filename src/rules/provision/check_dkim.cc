// DKIM: the keys that sign, and what is published of them.
#include <algorithm>

#include <fmt/format.h>

#include "protocols/mailauth/dkim_key_record.h"
#include "rules/provision/checks.h"
#include "rules/provision/dkim_paste.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using Status = dns::LookupReply::Status;
using mailauth::DkimKeyRecord;

constexpr int rsa_bits_good = 2048;
constexpr std::chrono::days key_age_max{365};

std::string name_of(const Look& look, const OwnSigningKey& key) {
  return fmt::format("{}._domainkey.{}", key.selector, look.home.domain);
}

bool is_same_key(const std::string& published, const std::string& wanted) {
  const auto a = DkimKeyRecord::parse(published);
  const auto b = DkimKeyRecord::parse(wanted);
  return a && b && a->key == b->key && a->key_type == b->key_type;
}

// Forms that add the domain by themselves make "x._domainkey.d.d" of a whole name.
void tell_missing(Look& look, const OwnSigningKey& key) {
  const auto name = name_of(look, key);
  const auto doubled = fmt::format("{}.{}", name, look.home.domain);
  const auto* fact = look.dns(doubled, dns::Type::txt);
  if (fact == nullptr) return;
  const auto fix = publish_text(look, name, key.record);
  if (!data_of<dns::Text>(*fact).empty())
    return look.error(name,
                      {.seen = "the key is at " + doubled + ": the provider's form adds the domain",
                       .expected = "the key at " + name,
                       .fix = fmt::format("in the form, enter the name {}._domainkey without the "
                                          "domain",
                                          key.selector)});
  look.error(name, {.seen = "no key there", .expected = key.record, .fix = fix});
}

void look_at_key(Look& look, const OwnSigningKey& key) {
  const auto name = name_of(look, key);
  const auto* fact = look.dns(name, dns::Type::txt);
  if (fact == nullptr) return;
  if (has_failed(*fact)) return look.cannot_tell(name, "TXT " + name);
  std::vector<std::string> published;
  for (auto& text : data_of<dns::Text>(*fact)) published.push_back(std::move(text.value));
  if (published.empty()) return tell_missing(look, key);
  const auto fix = publish_text(look, name, key.record);
  if (published.size() == 1 && is_same_key(published.front(), key.record))
    return look.ok(name, "the key that signs");
  if (auto why = explain_paste(published, key.record); !why.empty())
    return look.error(name, {.seen = why, .expected = key.record, .fix = fix});
  if (published.size() > 1)
    return look.error(name,
                      {.seen = fmt::format("{} records: receivers may take any", published.size()),
                       .expected = "one",
                       .fix = fix + "\nand remove the others"});
  const auto record = DkimKeyRecord::parse(published.front());
  if (record && record->revoked())
    return look.error(name,
                      {.seen = "the key is revoked (p=)", .expected = key.record, .fix = fix});
  look.error(name,
             {.seen = record ? "another key is published: signatures by ours fail"
                             : "it cannot be read: " + record.error().what,
              .expected = key.record,
              .fix = fix});
}

}  // namespace

void check_signing(Look& look) {
  const auto& domain = look.home.domain;
  const auto& keys = look.home.signing_keys;
  const auto held_back = std::ranges::count_if(keys, &OwnSigningKey::is_held_back);
  if (keys.empty())
    return look.error(
        domain,
        {.seen = "no DKIM key: mail goes out unsigned",
         .expected = "a key in the domain's folder",
         .fix = fmt::format("tapal dkim keygen {0}, and publish what it prints", domain)});
  if (held_back == std::ssize(keys))
    return look.error(
        domain,
        {.seen = "mail goes out unsigned: DNS shows no key of ours, so signatures would fail",
         .expected = "the record of " + name_of(look, keys.front()),
         .fix = fmt::format("tapal dkim status {}, and publish what it asks for", domain)});
  look.ok(domain, fmt::format("{} keys", std::ssize(keys) - held_back));
}

void check_dkim_published(Look& look) {
  for (const auto& key : look.home.signing_keys) look_at_key(look, key);
}

void check_dkim_strength(Look& look) {
  for (const auto& key : look.home.signing_keys) {
    const auto name = name_of(look, key);
    const auto* fact = look.dns(name, dns::Type::txt);
    if (fact == nullptr) continue;
    const auto texts = data_of<dns::Text>(*fact);
    const auto record = texts.empty() ? Result<DkimKeyRecord>(fail(Code::not_found, ""))
                                      : DkimKeyRecord::parse(texts.front().value);
    if (record && record->testing) {
      look.warn(name,
                {.seen = "t=y: receivers may treat signed mail as unsigned",
                 .expected = "no t=y once all works",
                 .fix = publish_text(look, name, key.record)});
    } else if (key.record.find("k=rsa") != std::string::npos && key.bits < rsa_bits_good) {
      look.warn(name,
                {.seen = fmt::format("RSA with {} bits", key.bits),
                 .expected = "2048 (RFC 8301); Yahoo asks for it",
                 .fix = fmt::format("tapal dkim rotate {}", look.home.domain)});
    } else {
      look.ok(name, fmt::format("{} bits", key.bits));
    }
  }
}

void check_dkim_age(Look& look) {
  for (const auto& key : look.home.signing_keys) {
    if (!key.made) continue;
    const auto age = std::chrono::floor<std::chrono::days>(look.home.now - *key.made);
    if (age <= key_age_max) {
      look.ok(key.selector, fmt::format("{} days", age.count()));
      continue;
    }
    look.info(key.selector,
              {.seen = fmt::format("{} days old", age.count()),
               .expected = "a new one each year at least",
               .fix = fmt::format("tapal dkim rotate {}", look.home.domain)});
  }
}

// Some name servers deny names that only have others below them (RFC 8020): a checker that asks for
// _domainkey first then concludes that there are no keys.
void check_dkim_tree(Look& look) {
  if (look.home.signing_keys.empty()) return;
  const auto name = "_domainkey." + look.home.domain;
  const auto* tree = look.dns(name, dns::Type::txt);
  const auto* key = look.dns(name_of(look, look.home.signing_keys.front()), dns::Type::txt);
  if (tree == nullptr || key == nullptr || key->reply.status != Status::found) return;
  if (tree->reply.status != Status::no_such_name) return look.ok(name, "known");
  look.warn(name,
            {.seen = "NXDOMAIN, though there is a key below it",
             .expected = "an empty answer (RFC 8020)",
             .fix = "the DNS provider's fault: tell them, or publish any TXT record at " + name});
}

}  // namespace tapal::provision
