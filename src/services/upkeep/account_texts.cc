#include "services/upkeep/account_texts.h"

#include <algorithm>
#include <utility>

namespace tapal::upkeep {
namespace {

constexpr std::chrono::seconds text_ttl{60};  // nobody is to remember it for long

}  // namespace

Task<Result<void>> AccountTexts::add(Loop& loop, std::string name, std::string value) {
  TAPAL_CO_TRY(auto zone, co_await account_.find_zone(loop, name));
  TAPAL_CO_TRY(auto set, co_await account_.read(loop, zone, name, dns::Type::txt));
  const dns::Data text = dns::Text{std::move(value)};
  if (std::ranges::find(set.data, text) != set.data.end()) co_return Result<void>();
  set.name = std::move(name);
  set.type = dns::Type::txt;
  set.ttl = std::max(text_ttl, account_.limits().ttl_least);
  set.data.push_back(text);
  std::vector<dns::RecordSet> sets;
  sets.push_back(std::move(set));
  co_return co_await account_.write(loop, std::move(zone), std::move(sets));
}

Task<Result<void>> AccountTexts::remove(Loop& loop, std::string name, std::string value) {
  TAPAL_CO_TRY(auto zone, co_await account_.find_zone(loop, name));
  TAPAL_CO_TRY(auto set, co_await account_.read(loop, zone, name, dns::Type::txt));
  const dns::Data text = dns::Text{std::move(value)};
  if (std::erase(set.data, text) == 0) co_return Result<void>();
  set.name = std::move(name);
  set.type = dns::Type::txt;
  std::vector<dns::RecordSet> sets;
  sets.push_back(std::move(set));
  co_return co_await account_.write(loop, std::move(zone), std::move(sets));
}

}  // namespace tapal::upkeep
