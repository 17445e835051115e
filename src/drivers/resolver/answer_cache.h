// Answers already known, by question, until their time is over; the least recently used go first
// when there are too many or they are too large. Not safe from several threads.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"
#include "ports/resolver.h"

namespace tapal {

struct DnsQuestion {
  std::string name;  // canonical
  dns::Type type = dns::Type::a;

  bool operator==(const DnsQuestion&) const = default;
};

struct DnsQuestionHash {
  std::size_t operator()(const DnsQuestion& question) const {
    constexpr std::size_t odd = 0x9e37'79b9'7f4a'7c15;
    return std::hash<std::string>()(question.name) ^
           (static_cast<std::size_t>(question.type) * odd);
  }
};

class AnswerCache {
 public:
  struct Limits {
    std::size_t answers_max = 0;
    std::size_t bytes_max = 0;  // about: keys and answers with their overhead
  };
  explicit AnswerCache(Limits limits) : limits_(limits) {}

  // The TTL of what is found is what is left of it.
  std::optional<Result<DnsAnswer>> find(const DnsQuestion& question, Instant now);
  void put(const DnsQuestion& question, Result<DnsAnswer> answer, Instant until);

  std::size_t size() const { return by_question_.size(); }

 private:
  struct Entry {
    DnsQuestion question;
    Result<DnsAnswer> answer;
    Instant until;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;
  void drop(Entries::iterator entry);

  Limits limits_;
  std::size_t bytes_ = 0;
  Entries entries_;  // the most recently used first
  std::unordered_map<DnsQuestion, Entries::iterator, DnsQuestionHash> by_question_;
};

}  // namespace tapal
