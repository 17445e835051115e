// Small fakes of the ports for tests: nothing leaves the process, everything can be looked at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/final_dot_marks.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/mail_queue.h"
#include "ports/mailbox.h"
#include "ports/memory_body.h"
#include "ports/random.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "ports/workers.h"

namespace tapal {

// The same numbers for the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void fill(std::span<std::byte> bytes) override {
    for (auto& byte : bytes) byte = static_cast<std::byte>(engine_() & 0xFFU);
  }

 private:
  std::mt19937_64 engine_;
};

class RecordingLog final : public Log {
 public:
  struct Entry {
    Level level;
    std::string event;
    std::map<std::string, std::string> fields;
  };
  void write(Level level, std::string_view event, LogFields fields) override {
    Entry entry{level, std::string(event), {}};
    for (auto& [name, value] : fields) entry.fields.emplace(name, std::move(value));
    entries.push_back(std::move(entry));
  }
  std::size_t count(std::string_view event) const {
    return static_cast<std::size_t>(std::ranges::count(entries, event, &Entry::event));
  }
  std::vector<Entry> entries;
};

// Kept for as long as the object lives.
class MemoryRecords final : public KeptRecords {
 public:
  Result<std::optional<std::string>> read_record(RecordKind /*kind*/,
                                                 std::string_view key) override {
    if (error) return std::unexpected(*error);
    const auto found = records.find(std::string(key));
    return found == records.end() ? std::nullopt : std::optional(found->second);
  }
  Result<void> read_records(
      RecordKind /*kind*/,
      std::move_only_function<void(std::string_view, std::string_view)> each) override {
    if (error) return std::unexpected(*error);
    for (const auto& [key, value] : records) each(key, value);
    return {};
  }
  Task<Result<void>> change_records(Loop& loop,
                                    RecordKind /*kind*/,
                                    RecordsChange change) override {
    co_await switch_to(loop);
    if (error) co_return std::unexpected(*error);
    apply(change);
    co_return Result<void>();
  }
  void apply(const RecordsChange& change) {
    for (const auto& [key, value] : change.put) records.insert_or_assign(key, value);
    for (const auto& key : change.removed) records.erase(key);
  }

  std::map<std::string, std::string> records;
  std::optional<Error> error;
};

// Does the work at once, on the caller's thread.
class InlineWorkers final : public Workers {
 public:
  bool submit(std::move_only_function<void()> work) override {
    if (busy) return false;
    ++calls;
    work();
    return true;
  }
  bool busy = false;
  std::size_t calls = 0;
};

// Answers from a table; what is not there does not exist.
class TableOfNames final : public Resolver {
 public:
  Task<Result<DnsAnswer>> resolve(Loop&, std::string name, dns::Type type) override {
    ++questions;
    if (failure) co_return std::unexpected(*failure);
    if (const auto found = answers_.find({name, type}); found != answers_.end())
      co_return found->second;
    DnsAnswer none;
    none.status =
        names_.contains(name) ? DnsAnswer::Status::no_data : DnsAnswer::Status::no_such_name;
    co_return none;
  }
  void add(const std::string& name, dns::Type type, dns::Data data) {
    names_.insert(name);
    auto& answer = answers_[{name, type}];
    answer.status = DnsAnswer::Status::found;
    answer.records.push_back({name, type, std::chrono::seconds(60), std::move(data)});
  }
  void set(const std::string& name, dns::Type type, DnsAnswer answer) {
    names_.insert(name);
    answers_[{name, type}] = std::move(answer);
  }
  void mx(const std::string& name, std::uint16_t preference, const std::string& exchange) {
    add(name, dns::Type::mx, dns::MailExchange{preference, exchange});
  }
  void address(const std::string& name, std::string_view text) {
    const auto ip = IpAddress::from_text(text).value();
    add(name, ip.is_v4() ? dns::Type::a : dns::Type::aaaa, ip);
  }
  std::optional<Error> failure;
  std::size_t questions = 0;

 private:
  std::map<std::pair<std::string, dns::Type>, DnsAnswer> answers_;
  std::set<std::string> names_;
};

class MemoryMarks final : public FinalDotMarks {
 public:
  std::size_t slots() const override { return marks.size(); }
  void set(std::size_t slot, QueueId message, std::span<const std::uint32_t> recipients) override {
    marks[slot] = FinalDotMark{message, {recipients.begin(), recipients.end()}};
    ++times_set;
  }
  void clear(std::size_t slot) override { marks[slot].reset(); }
  std::vector<FinalDotMark> all() const override {
    std::vector<FinalDotMark> found;
    for (const auto& mark : marks)
      if (mark) found.push_back(*mark);
    return found;
  }
  std::vector<std::optional<FinalDotMark>> marks = decltype(marks)(100);
  std::size_t times_set = 0;
};

class MemoryMailbox final : public Mailbox {
 public:
  Task<Result<void>> deliver(
      Loop& loop, MailboxPlace place, BodyPtr body, std::string prefix, QueueId id) override {
    co_await switch_to(loop);
    if (answer)
      if (auto put = answer(place.user); !put) co_return put;
    std::string text(static_cast<std::size_t>(body->size()), '\0');
    text.resize(body->read(0, text).value_or(0));
    kept[place.folder + place.user.text()].push_back({id, prefix + text});
    co_return Result<void>();
  }
  struct Mail {
    QueueId id;
    std::string text;
  };
  std::map<std::string, std::vector<Mail>> kept;             // by folder, then user
  std::function<Result<void>(const mail::Address&)> answer;  // may refuse; empty: all is kept
};

class RecordingQueue final : public MailQueue {
 public:
  struct Accepted {
    queue::Message message;
    std::string text;
  };
  bool full() const override { return is_full; }
  void accept(queue::Message message, BodyPtr body) override {
    std::string text(static_cast<std::size_t>(body->size()), '\0');
    text.resize(body->read(0, text).value_or(0));
    accepted.push_back({std::move(message), std::move(text)});
    if (on_accept) on_accept();
  }
  Task<FirstTry> accept_and_try(Loop& loop,
                                queue::Message message,
                                BodyPtr body,
                                std::chrono::seconds) override {
    accept(std::move(message), std::move(body));
    ++tried;
    co_await switch_to(loop);
    co_return first;
  }
  bool is_full = false;
  FirstTry first;         // what accept_and_try() answers
  std::size_t tried = 0;  // by it
  std::vector<Accepted> accepted;
  std::function<void()> on_accept;
};

}  // namespace tapal
