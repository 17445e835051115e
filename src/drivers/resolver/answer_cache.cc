#include "drivers/resolver/answer_cache.h"

#include <algorithm>

namespace tapal {
namespace {

constexpr std::size_t overhead_bytes = 256;  // list and table nodes, two copies of the question

std::size_t bytes_of(const dns::Data& data) {
  if (const auto* text = std::get_if<dns::Text>(&data)) return text->value.size();
  if (const auto* raw = std::get_if<dns::RawData>(&data)) return raw->bytes.size();
  if (const auto* target = std::get_if<dns::NameTarget>(&data)) return target->name.size();
  if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
    return exchange->exchange.size();
  return 0;
}

std::size_t bytes_of(const DnsQuestion& question, const Result<DnsAnswer>& answer) {
  std::size_t bytes = overhead_bytes + 2 * question.name.size();
  if (!answer) return bytes + answer.error().what.size();
  bytes += answer->canonical_name.size();
  for (const dns::Record& record : answer->records)
    bytes += sizeof record + record.name.size() + bytes_of(record.data);
  return bytes;
}

}  // namespace

std::optional<Result<DnsAnswer>> AnswerCache::find(const DnsQuestion& question, Instant now) {
  const auto found = by_question_.find(question);
  if (found == by_question_.end()) return {};
  const Entries::iterator entry = found->second;
  if (entry->until <= now) {
    drop(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  Result<DnsAnswer> answer = entry->answer;
  if (answer)
    answer->ttl =
        std::min(answer->ttl, std::chrono::ceil<std::chrono::seconds>(entry->until - now));
  return answer;
}

void AnswerCache::put(const DnsQuestion& question, Result<DnsAnswer> answer, Instant until) {
  if (const auto old = by_question_.find(question); old != by_question_.end()) drop(old->second);
  const std::size_t bytes = bytes_of(question, answer);
  if (limits_.answers_max == 0 || bytes > limits_.bytes_max) return;
  while (entries_.size() >= limits_.answers_max || bytes_ + bytes > limits_.bytes_max)
    drop(std::prev(entries_.end()));
  entries_.push_front({question, std::move(answer), until, bytes});
  by_question_.emplace(question, entries_.begin());
  bytes_ += bytes;
}

void AnswerCache::drop(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_question_.erase(entry->question);
  entries_.erase(entry);
}

}  // namespace tapal
