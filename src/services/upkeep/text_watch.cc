#include "services/upkeep/text_watch.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::upkeep {
namespace {

bool shows(const AuthorityAnswer& answer, const std::string& value) {
  return answer.reply && std::ranges::any_of(answer.reply->records, [&](const auto& record) {
           const auto* text = std::get_if<dns::Text>(&record.data);
           return text != nullptr && text->value == value;
         });
}

}  // namespace

Task<Result<std::string>> AuthoritiesWatch::lagging(Loop& loop,
                                                    std::string name,
                                                    std::string value) {
  TAPAL_CO_TRY(auto zone, co_await authorities_.find(loop, name));
  dns::Lookup lookup{std::move(name), dns::Type::txt};
  const auto answers = co_await authorities_.ask_all(loop, std::move(zone), std::move(lookup));
  std::string late;
  for (const auto& answer : answers) {
    if (shows(answer, value)) continue;
    if (!late.empty()) late += ", ";
    late += answer.server;
    if (!answer.reply) late += fmt::format(" ({})", answer.reply.error().what);
  }
  co_return late;
}

}  // namespace tapal::upkeep
