#include "services/upkeep/record_watch.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::upkeep {
namespace {

bool shows(const AuthorityAnswer& answer, const dns::Data& data) {
  return answer.reply && std::ranges::find(answer.reply->records, data, &dns::Record::data) !=
                             answer.reply->records.end();
}

}  // namespace

Task<Result<std::string>> AuthoritiesWatch::lagging(Loop& loop,
                                                    dns::Lookup lookup,
                                                    dns::Data data) {
  TAPAL_CO_TRY(auto zone, co_await authorities_.find(loop, lookup.name));
  const auto answers = co_await authorities_.ask_all(loop, std::move(zone), std::move(lookup));
  std::string late;
  for (const auto& answer : answers) {
    if (shows(answer, data)) continue;
    if (!late.empty()) late += ", ";
    late += answer.server;
    if (!answer.reply) late += fmt::format(" ({})", answer.reply.error().what);
  }
  co_return late;
}

}  // namespace tapal::upkeep
